"""Web shops: WooCommerce's REST API v3, and a generic JSON storefront that any shop can offer.

`woocommerce` and `generic` implement the port `Storefront`; `translate` turns their orders into canonical ones,
`webhook` verifies what a shop pushes to us.
"""
