package tenants

import "github.com/google/uuid"

// Actor is who makes a change, for the audit row that is written with it.
type Actor struct {
	// TenantID is the tenant that is changed. Nothing of another tenant can be reached with this actor.
	TenantID uuid.UUID
	// UserID is the user who acts; zero where a command on the host does.
	UserID uuid.UUID
	// Email is the user's address, which the audit row keeps: the user may go. Where it is empty it is looked up.
	Email string
	// Via says through what: "dashboard", "seed", "apply".
	Via string
	// Token is the API token that acts for the user; nil where the user does.
	Token *APIToken
	// IP is the address that the user came from, in text; empty where there is none.
	IP string
	// RequestID joins the audit row with the log.
	RequestID string
}
