"""The admin console: Django's admin for site admins, in the product's colours and with its own sign-in."""
