package tenants

import (
	"time"

	"github.com/google/uuid"
)

// AuditEvent is one row of the audit log: a change of the control plane, and who made it.
type AuditEvent struct {
	// ID rises from row to row of the platform.
	ID int64
	At time.Time
	// ActorID and ActorEmail are the user who acted; both are empty where a command on the host did. The address is the one of that
	// time.
	ActorID    uuid.UUID
	ActorEmail string
	// Via says through what, as in [Actor].
	Via       string
	IP        string
	RequestID string
	// Action is what was done, as noun.verb: "app.created".
	Action string
	// Target is the id of what it was done to, and App the app that this belongs to, where there is one.
	Target string
	App    string
	// Before and After are what was and what is, field by field and without secrets. What was made has no Before, what was
	// removed no After, and what was only looked at neither.
	Before, After map[string]any
}

// AuditFilter chooses rows of the audit log. What is not set chooses all.
type AuditFilter struct {
	// Since and Until bound the time: from the one on, and before the other.
	Since, Until time.Time
	// Actor is an address or the id of a user.
	Actor string
	// Action is one, such as "app.created", or all of a noun, such as "app".
	Action string
	// Target is the id of what was changed, or of the app that it belongs to.
	Target string
	// Text stands anywhere in the row, in capitals or not.
	Text string
}
