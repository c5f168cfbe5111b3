"""Importing this makes what is imported later cooperative, as gunicorn's gevent worker does before it loads an app.

Forks and signals stay as they are: gunicorn's master collects its workers by them. The worker patches the rest.
"""

from gevent import monkey

for patch in (
    monkey.patch_thread,
    monkey.patch_time,
    monkey.patch_socket,
    monkey.patch_select,
    monkey.patch_selectors,
    monkey.patch_ssl,
    monkey.patch_queue,
):
    patch()
