"""The web shop: one order store behind WooCommerce's REST interface and a generic JSON storefront."""

from __future__ import annotations

from integration.sandbox.ecommerce.app import ShopSandbox
from integration.sandbox.ecommerce.config import ShopSandboxConfig

__all__ = ["ShopSandbox", "ShopSandboxConfig"]
