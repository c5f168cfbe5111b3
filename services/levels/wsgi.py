"""What gunicorn loads."""

from common.http.app import create_app
from common.logs import configure_logs
from common.settings import settings
from services.levels.service import service

configure_logs(settings(), service=service.name)
app = create_app(service)
