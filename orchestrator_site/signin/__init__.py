"""How people sign in: passwords, second factors, OpenID Connect, and the sessions that follow."""
