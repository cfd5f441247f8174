package tenants

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// TokenPrefix begins every API token, so that who finds one knows what it is, and tools that look for secrets do too.
const TokenPrefix = "peal_"

// How long an API token may live, and how many a user may have in a tenant.
const (
	TokenLife     = 90 * 24 * time.Hour
	MaxTokenLife  = 365 * 24 * time.Hour
	MaxUserTokens = 50
)

// tokenDigits are what 256 bits need to the base of 62.
const tokenDigits = 43

// NewAPIToken returns the text of a token: the prefix and 256 random bits in letters and digits.
func NewAPIToken() Secret {
	text := new(big.Int).SetBytes(randomBytes(32)).Text(62)
	return NewSecret(TokenPrefix + strings.Repeat("0", tokenDigits-len(text)) + text)
}

// TokenHint is how the text of a token begins: enough for its owner to tell tokens apart, and no help to anybody else.
func TokenHint(text Secret) string { return text.Reveal()[:len(TokenPrefix)+4] }

// APIToken is a token without its text.
type APIToken struct {
	ID     uuid.UUID
	Owner  User
	Name   string
	Hint   string
	Scopes []Permission
	// LastUsedAt is zero when it never was, and LastUsedIP empty.
	CreatedAt, ExpiresAt, LastUsedAt time.Time
	LastUsedIP                       string
}

// Grantable returns what a token of this member may be given: what the member may do, but for what only people may.
func (m *Membership) Grantable() []Permission {
	return slices.DeleteFunc(m.Permissions(), func(p Permission) bool { return p == TenantTransfer || p == TokensManage })
}

// Permissions returns what the token may do for somebody who is this member now.
func (t APIToken) Permissions(m Membership) []Permission {
	return slices.DeleteFunc(m.Grantable(), func(p Permission) bool { return !slices.Contains(t.Scopes, p) })
}

// MayMake tells whether the token may make somebody have this role, or take it from them: only a role that may do nothing that the
// token may not. So a token gives nobody more than it has, and never reaches owners and admins, who may do what no token may.
func (t APIToken) MayMake(r Role) bool {
	return !slices.ContainsFunc(r.Permissions(), func(p Permission) bool { return !slices.Contains(t.Scopes, p) })
}
