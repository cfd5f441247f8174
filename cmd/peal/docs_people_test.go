package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pealhq/peal/tenants"
)

// TestListOfRoles keeps the table of roles in docs/people.md whole.
func TestListOfRoles(t *testing.T) {
	t.Parallel()
	does := map[tenants.Permission]string{
		tenants.AppsRead:       "see apps and their settings",
		tenants.AppsWrite:      "create and change apps",
		tenants.AppsDelete:     "delete apps",
		tenants.KeysRead:       "see keys, without their secrets",
		tenants.KeysReveal:     "see the secrets of keys",
		tenants.KeysWrite:      "create, rotate and revoke keys",
		tenants.EventsPublish:  "publish from the dashboard",
		tenants.UsageRead:      "see what apps use",
		tenants.AlertsWrite:    "switch alerts on and off",
		tenants.AuditRead:      "see who changed what",
		tenants.MembersRead:    "see members and invitations",
		tenants.MembersWrite:   "invite, remove, give roles; of owners only an owner may",
		tenants.TenantTransfer: "give the tenant to another owner",
		tenants.TokensManage:   "see and revoke the API tokens of all members",
	}
	var b strings.Builder
	b.WriteString("| permission | lets | owner | admin | developer | viewer | API token |\n|---|---|---|---|---|---|---|\n")
	yes := map[bool]string{true: "yes", false: "—"}
	owner := &tenants.Membership{Role: tenants.RoleOwner}
	for _, p := range owner.Role.Permissions() {
		if does[p] == "" {
			t.Errorf("nothing is said of %s", p)
		}
		fmt.Fprintf(&b, "| `%s` | %s |", p, does[p])
		for _, r := range tenants.Roles() {
			fmt.Fprintf(&b, " %s |", yes[r.May(p)])
		}
		grantable := false
		for _, g := range owner.Grantable() {
			grantable = grantable || g == p
		}
		fmt.Fprintf(&b, " %s |\n", yes[grantable])
	}
	const begin, end = "<!-- roles -->\n", "<!-- end of roles -->\n"
	text, err := os.ReadFile(docsFolder + "people.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatal("docs/people.md has no place for the table of roles")
	}
	checkDoc(t, "people.md", before+begin+b.String()+end+after)
}
