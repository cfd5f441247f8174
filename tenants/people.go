package tenants

import (
	"time"

	"github.com/google/uuid"
)

// Member is a user in a tenant, as its list of members tells.
type Member struct {
	User     User
	Role     Role
	JoinedAt time.Time
}

// InvitationLife is how long an invitation is good.
const InvitationLife = 7 * 24 * time.Hour

// MaxInvitations bounds the invitations of a tenant that nobody has accepted yet.
const MaxInvitations = 100

// Invitation waits to be accepted by the user with its address.
type Invitation struct {
	ID     uuid.UUID
	Tenant Tenant
	Email  string
	Role   Role
	// InvitedBy is the address of who invited, or empty when that user is no more.
	InvitedBy            string
	CreatedAt, ExpiresAt time.Time
}

// How long the links in mails to users are good.
const (
	VerifyLinkLife = 7 * 24 * time.Hour
	ResetLinkLife  = time.Hour
)

// SessionInfo is what a user knows a session by.
type SessionInfo struct {
	ID         uuid.UUID
	UserAgent  string
	IP         string
	TenantName string
	CreatedAt  time.Time
	LastSeenAt time.Time
	// Current says that it is the one that asks.
	Current bool
}

// ChallengeLife is how long the second step of a login may take.
const ChallengeLife = 5 * time.Minute
