"""The admin interface shows and edits a sandbox from outside the API."""

from connectwise_sandbox.admin.interface import ADMIN_PREFIX, Admin

__all__ = ["ADMIN_PREFIX", "Admin"]
