"""How refusals about signing in are answered."""

from common.http.problems import Wording, Wordings
from gateway.auth.domain import (
    BadLoginCode,
    BadToken,
    LoginTooOften,
    LoginUnavailable,
    ProviderBusy,
    ProviderRefused,
    TokenEnded,
    TokenExpired,
    UnknownScheme,
    UserBlocked,
)

WORDINGS: Wordings = {
    BadToken: Wording(401, "This token is not ours; sign in again.", "令牌无效,请重新登录。"),
    TokenExpired: Wording(401, "The session has ended; sign in again.", "登录已过期,请重新登录。"),
    TokenEnded: Wording(
        401,
        "Your password, roles or state changed; sign in again.",
        "您的密码、角色或状态已变更,请重新登录。",
    ),
    UnknownScheme: Wording(
        401,
        "Authorization takes a Bearer token or a JIFEN-HMAC-SHA256 signature, not {scheme!r}.",
        "Authorization 仅支持 Bearer 令牌或 JIFEN-HMAC-SHA256 签名,不支持 {scheme!r}。",
    ),
    LoginUnavailable: Wording(
        422,
        "Signing in with {provider} is not set up for this program; ask its operator.",
        "该项目未开通 {provider} 登录,请联系运营方。",
        pointer="/provider",
    ),
    BadLoginCode: Wording(
        422,
        "The code is wrong, used or too old; call wx.login again and send the new code.",
        "登录凭证无效或已过期,请重新调用 wx.login 获取。",
        pointer="/code",
    ),
    LoginTooOften: Wording(
        429, "You sign in too often; wait a minute.", "登录过于频繁,请一分钟后再试。", retry_after=60
    ),
    UserBlocked: Wording(
        403,
        "WeChat does not let this user sign in for safety; see the notice in WeChat.",
        "该微信账号存在风险,暂不能登录,请查看微信通知。",
    ),
    ProviderBusy: Wording(
        503,
        "WeChat does not answer now; get a new code with wx.login and try again.",
        "微信暂时繁忙,请重新调用 wx.login 后再试。",
        retry_after=2,
    ),
    ProviderRefused: Wording(
        503,
        "WeChat refused this program (errcode {errcode}); its operator should check appid and secret.",
        "微信拒绝了该项目的请求(errcode {errcode}),请运营方核对 appid 与密钥。",
        retry_after=60,
    ),
}
