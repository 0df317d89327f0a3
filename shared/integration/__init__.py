"""API integrations: request, policy and response as pure functions, and the one outbound client."""
