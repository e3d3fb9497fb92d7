"""The HTTP face of the service."""

from service.api import dashboard, webhooks

ROUTERS = [webhooks.router, dashboard.router]
