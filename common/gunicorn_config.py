"""How every web process is served. One gevent worker handles hundreds of requests in flight; scale by processes."""

worker_class = "gevent"
worker_connections = 1000
backlog = 2048
keepalive = 75
timeout = 60
graceful_timeout = 15
accesslog = None
errorlog = "-"
loglevel = "warning"
# Identity comes from a signed header; nothing is taken from X-Forwarded-*.
forwarded_allow_ips = ""
