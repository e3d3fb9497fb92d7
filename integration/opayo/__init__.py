"""Opayo: the Pi REST API, Server registration and notifications, Reporting & Admin XML.

`client` is the gateway the service uses; `wire` is what travels, `schema` what Opayo accepts, `translate` and
`vocabulary` turn one into canonical documents, `refusals` turns errors into ours, `notification` and `webhook`
verify what is pushed to us.
"""
