package tenants

import (
	"fmt"

	"github.com/google/uuid"
)

// Actor is who makes a change, for the audit row that is written with it.
type Actor struct {
	// TenantID is the tenant that is changed. Nothing of another tenant can be reached with this actor.
	TenantID uuid.UUID
	// UserID is the user who acts; zero where a command on the host does.
	UserID uuid.UUID
	// Via says through what: "dashboard", "seed", "apply".
	Via string
	// IP is the address that the user came from, in text; empty where there is none.
	IP string
	// RequestID joins the audit row with the log.
	RequestID string
}

// Manifest is a description of tenants and apps that a team keeps in a file. Applying it creates what is
// missing and changes what differs; what it does not name is left alone.
type Manifest struct {
	Tenants []ManifestTenant
}

// ManifestTenant is found by its name.
type ManifestTenant struct {
	Name string
	Apps []ManifestApp
}

// ManifestApp is found by its id, or by its name where it has none.
type ManifestApp struct {
	// ID is empty where Peal is to give one.
	ID   string
	Name string
	// Enabled is nil where the file does not say: a new app is enabled, an old one stays as it is.
	Enabled *bool
	// Keys must exist with these secrets. A new app for which none is named is given one.
	Keys []Key
}

// Change is one thing that applying a manifest did or would do.
type Change struct {
	// Action is noun.verb, as in the audit log.
	Action string
	// What names the thing for a person.
	What string
}

// Check returns the first thing that is wrong with a manifest by itself, as a [FieldError] whose field is the
// path in the file.
func (m Manifest) Check() error {
	names, ids, publics := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, t := range m.Tenants {
		at := fmt.Sprintf("tenants[%d]", i)
		if _, err := CheckName(at+".name", t.Name); err != nil {
			return err
		}
		if err := onlyOnce(names, t.Name, at+".name"); err != nil {
			return err
		}
		appNames := map[string]bool{}
		for j, a := range t.Apps {
			at := fmt.Sprintf("%s.apps[%d]", at, j)
			if err := a.check(at, appNames, ids, publics); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a ManifestApp) check(at string, names, ids, publics map[string]bool) error {
	if _, err := CheckName(at+".name", a.Name); err != nil {
		return err
	}
	if err := onlyOnce(names, a.Name, at+".name"); err != nil {
		return err
	}
	if a.ID != "" {
		if err := CheckAppID(at+".id", a.ID); err != nil {
			return err
		}
		if err := onlyOnce(ids, a.ID, at+".id"); err != nil {
			return err
		}
	}
	for k, key := range a.Keys {
		at := fmt.Sprintf("%s.keys[%d]", at, k)
		if err := CheckKey(at, key.Public, key.Secret.Reveal()); err != nil {
			return err
		}
		if err := onlyOnce(publics, key.Public, at+".key"); err != nil {
			return err
		}
	}
	return nil
}

func onlyOnce(seen map[string]bool, value, field string) error {
	if seen[value] {
		return Invalid(field, fmt.Sprintf("%q stands in this file twice", value))
	}
	seen[value] = true
	return nil
}
