package tenants

import (
	"slices"

	"github.com/google/uuid"
)

// Role is what a user is in a tenant.
type Role string

// The roles, from most to least allowed.
const (
	RoleOwner     Role = "owner"
	RoleAdmin     Role = "admin"
	RoleDeveloper Role = "developer"
	RoleViewer    Role = "viewer"
)

// Roles returns all roles, from most to least allowed.
func Roles() []Role { return []Role{RoleOwner, RoleAdmin, RoleDeveloper, RoleViewer} }

// Permission is one thing that a role may do, written noun.verb.
type Permission string

// The permissions.
const (
	AppsRead      Permission = "apps.read"
	AppsWrite     Permission = "apps.write"
	AppsDelete    Permission = "apps.delete"
	KeysRead      Permission = "keys.read"
	KeysReveal    Permission = "keys.reveal"
	KeysWrite     Permission = "keys.write"
	EventsPublish Permission = "events.publish"
	UsageRead     Permission = "usage.read"
	AuditRead     Permission = "audit.read"
	AlertsWrite   Permission = "alerts.write"

	MembersRead    Permission = "members.read"
	MembersWrite   Permission = "members.write"
	TenantTransfer Permission = "tenant.transfer"
	TokensManage   Permission = "tokens.manage"
	// PlatformOperate is what no role has, but operators do.
	PlatformOperate Permission = "platform.operate"
)

// Permissions returns what a role may do, in a fixed order. An unknown role may do nothing.
func (r Role) Permissions() []Permission {
	switch r {
	case RoleOwner:
		return append(RoleAdmin.Permissions(), TenantTransfer)
	case RoleAdmin:
		return append(RoleDeveloper.Permissions(), AppsDelete, MembersWrite, TokensManage, AuditRead, AlertsWrite)
	case RoleDeveloper:
		return append(RoleViewer.Permissions(), AppsWrite, KeysReveal, KeysWrite, EventsPublish)
	case RoleViewer:
		return []Permission{AppsRead, KeysRead, MembersRead, UsageRead}
	default:
		return nil
	}
}

// May tells whether the role may do this.
func (r Role) May(p Permission) bool { return slices.Contains(r.Permissions(), p) }

// MayMake tells whether who has this role may make somebody have that one, or take it from them: an admin neither makes nor
// removes owners.
func (r Role) MayMake(other Role) bool {
	return r.May(MembersWrite) && slices.Contains(Roles(), other) && (r == RoleOwner || other != RoleOwner)
}

// User is a person who signs in to the dashboard.
type User struct {
	ID    uuid.UUID
	Email string
	// EmailVerified says that the user has shown that the address is theirs.
	EmailVerified bool
	// SecondFactor says that the user logs in with one.
	SecondFactor bool
	// Operator says that the user operates the platform, above all tenants.
	Operator bool
}

// Membership says what a user is in a tenant.
type Membership struct {
	User   User
	Tenant Tenant
	Role   Role
	// Impersonating says that it is no member but an operator, who looks at the tenant and can change nothing.
	Impersonating bool
}

// Permissions returns what the member may do now, in a fixed order: what the role may, while the tenant is suspended only what a
// viewer may too, and what operators may. An operator who impersonates may look at all, and operates nothing meanwhile.
func (m *Membership) Permissions() []Permission {
	if m.Impersonating {
		return append(RoleViewer.Permissions(), AuditRead)
	}
	list := m.Role.Permissions()
	if m.Tenant.Suspended() {
		list = slices.DeleteFunc(list, func(p Permission) bool { return !RoleViewer.May(p) })
	}
	if m.User.Operator {
		list = append(list, PlatformOperate)
	}
	return list
}

// May tells whether the member may do this now.
func (m *Membership) May(p Permission) bool { return slices.Contains(m.Permissions(), p) }
