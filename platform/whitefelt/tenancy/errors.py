"""Refusals of tenancy."""

from whitefelt.kernel.errors import Code

TENANT_UNKNOWN = Code("tenant_unknown", 404, "There is no such operator.")
TENANT_SUSPENDED = Code("tenant_suspended", 503, "This site is closed for the moment.", retryable=True)
INTEGRATION_UNKNOWN = Code("integration_unknown", 404, "There is no such integration.")
DESIRED_STATE_INVALID = Code("desired_state_invalid", 422, "The tenant's folder cannot be applied.")
