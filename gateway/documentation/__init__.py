"""The OpenAPI of the whole house, and the page to browse it."""
