"""What gunicorn loads."""

from common.logs import configure_logs
from common.settings import settings
from gateway.application import create_gateway

configure_logs(settings(), service="gateway")
app = create_gateway()
