package tenants

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Manifest is a description of tenants and apps that a team keeps in a file. Applying it creates what is
// missing and changes what differs; what it does not name is left alone.
type Manifest struct {
	Tenants []ManifestTenant
}

// ManifestTenant is found by its id where it has one. Without, it is the tenant that manifests keep under this
// name: never one that somebody signed up as, since names are free and anybody may take any.
type ManifestTenant struct {
	ID   uuid.UUID
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
	// Keys must exist with these secrets and scopes; no scopes where the file does not say: a new key is for everything. A new
	// app for which none is named is given one.
	Keys []Key
	// Settings are what the file says of the app's settings.
	Settings SettingsChange
}

// Change is one thing that applying a manifest did or would do.
type Change struct {
	// Action is noun.verb, as in the audit log.
	Action string
	// What names the thing for a person.
	What string
}

// Check trims the names and returns the first thing that is wrong with a manifest by itself, as a [FieldError] whose
// field is the path in the file.
func (m *Manifest) Check() error {
	names, ids, publics := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range m.Tenants {
		t, at := &m.Tenants[i], fmt.Sprintf("tenants[%d]", i)
		var err error
		if t.Name, err = CheckName(at+".name", t.Name); err != nil {
			return err
		}
		if err := onlyOnce(names, t.Name, at+".name"); err != nil {
			return err
		}
		appNames := map[string]bool{}
		for j := range t.Apps {
			if err := t.Apps[j].check(fmt.Sprintf("%s.apps[%d]", at, j), appNames, ids, publics); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *ManifestApp) check(at string, names, ids, publics map[string]bool) error {
	var err error
	if a.Name, err = CheckName(at+".name", a.Name); err != nil {
		return err
	}
	// Two names that differ in case only are one.
	if err := onlyOnce(names, strings.ToLower(a.Name), at+".name"); err != nil {
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
	if err := a.Settings.Check(at); err != nil {
		return err
	}
	for k, key := range a.Keys {
		at := fmt.Sprintf("%s.keys[%d]", at, k)
		if err := CheckKey(at, key.Public, key.Secret.Reveal()); err != nil {
			return err
		}
		if a.Keys[k].Label, err = CheckLabel(at+".label", key.Label); err != nil {
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
