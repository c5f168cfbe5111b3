"""How refusals about API keys and signatures are answered."""

from common.http.problems import Wording, Wordings
from gateway.keys.domain import (
    BadKey,
    BadSignature,
    KeyNameTaken,
    KeyRevoked,
    NonceUsed,
    NotSigned,
    OutsideWindow,
    UnknownKey,
)

WORDINGS: Wordings = {
    UnknownKey: Wording(
        404, "There is no key {key}; GET /v1/api-keys lists them.", "没有密钥 {key},可用 GET /v1/api-keys 查看。"
    ),
    KeyNameTaken: Wording(
        409,
        "Another key is named {name}; revoke it first, or choose another name.",
        "密钥名 {name} 已被使用,请先吊销旧密钥或换一个名称。",
        pointer="/name",
    ),
    KeyRevoked: Wording(409, "The key {key} was revoked; make a new one.", "密钥 {key} 已吊销,请新建一个密钥。"),
    BadKey: Wording(
        422,
        "The key's {what} {value!r} will not do: names are a-z 0-9 _ -, scopes read, events, ledger, members,"
        " redemptions, exchange, rates 1 to 100000 a second.",
        "密钥的 {what} {value!r} 不符合要求:名称用 a-z 0-9 _ -,权限为 read、events、ledger、members、"
        "redemptions、exchange,速率每秒 1-100000。",
    ),
    NotSigned: Wording(
        401,
        "The Authorization header is not in the form JIFEN-HMAC-SHA256 key=…, timestamp=…, nonce=…, signature=….",
        "Authorization 头格式应为 JIFEN-HMAC-SHA256 key=…, timestamp=…, nonce=…, signature=…。",
    ),
    BadSignature: Wording(
        401,
        "No living key signed this request; check key, secret, and that method, target and body are as signed.",
        "签名无效,请核对密钥、密文以及参与签名的方法、地址与请求体。",
    ),
    OutsideWindow: Wording(
        401,
        "The timestamp is more than {window} seconds from our clock, which shows {now}; set your clock, sign again.",
        "时间戳与服务器时间({now})相差超过 {window} 秒,请校准时钟后重新签名。",
    ),
    NonceUsed: Wording(
        401, "This nonce was used before; sign again with a new one.", "该 nonce 已被使用,请换一个重新签名。"
    ),
}
