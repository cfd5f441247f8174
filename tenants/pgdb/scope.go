package pgdb

import (
	"errors"

	"github.com/google/uuid"
)

// Scope is which rows a transaction may see and change. PostgreSQL itself keeps it, by row-level security for a role that
// cannot get around it: a statement that forgets the tenant finds nothing of others. It is the second wall; the first is
// that every statement names the tenant. The policies are in the migrations.
type Scope struct{ role, tenant string }

// errNoScope is a programmer's mistake.
var errNoScope = errors.New("a transaction needs a scope")

// The roles that the migrations make. None of them owns a table, may log in, or may bypass row-level security.
const (
	roleTenant   = "peal_tenant"
	rolePlatform = "peal_platform"
	roleEdge     = "peal_edge"
)

// Tenant is the rows of one tenant.
func Tenant(id uuid.UUID) Scope { return Scope{role: roleTenant, tenant: id.String()} }

// Platform is the rows of all tenants: for commands on the host, for operators, and for what must be found before it is
// known whose it is, such as a session.
func Platform() Scope { return Scope{role: rolePlatform} }

// Edge is what an edge reads of apps, whosever they are. It can write nothing.
func Edge() Scope { return Scope{role: roleEdge} }

// login is what the connection's own user may do: look at the server and the schema, also before there are other roles.
func login() Scope { return Scope{role: "none"} }

// set returns the statements that put a transaction into the scope. Neither a role nor a UUID has anything to quote.
func (s Scope) set() string {
	text := "; SET LOCAL ROLE " + s.role
	if s.tenant != "" {
		text += "; SET LOCAL peal.tenant = '" + s.tenant + "'"
	}
	return text
}
