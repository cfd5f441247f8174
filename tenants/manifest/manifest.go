// Package manifest reads the YAML file in which a team keeps its tenants and apps: what `peal dev --seed`
// and `peal apply` take. It only reads; the package pgstore applies what it returns. Start with [Parse].
package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/google/uuid"

	"github.com/pealhq/peal/tenants"
)

// MaxBytes bounds the size of a file.
const MaxBytes = 4 << 20

// The shape of the file. A field that is not here is refused by name.
type file struct {
	Tenants []tenant `yaml:"tenants"`
}

type tenant struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	Apps []app  `yaml:"apps"`
}

type app struct {
	ID      string `yaml:"id"`
	Name    string `yaml:"name"`
	Keys    []key  `yaml:"keys"`
	Enabled *bool  `yaml:"enabled"`
	// The names in features and limits are checked with their values, by the package tenants.
	Features map[string]bool `yaml:"features"`
	Origins  *[]string       `yaml:"origins"`
	Limits   map[string]*int `yaml:"limits"`
	Rules    *[]rule         `yaml:"channel_rules"`
}

type rule struct {
	Pattern string `yaml:"pattern"`
	Log     struct {
		Size       int `yaml:"size"`
		TTLSeconds int `yaml:"ttl_seconds"`
	} `yaml:"log"`
}

type key struct {
	Key    string `yaml:"key"`
	Secret string `yaml:"secret"`
	Label  string `yaml:"label"`
	// The names are checked by the package tenants; none means that the file does not say.
	Scopes *[]string `yaml:"scopes"`
}

// Parse reads a manifest and checks it by itself. What is wrong with the file's shape comes with line and
// column and wraps [tenants.ErrInvalid]; what is wrong with a value comes as a [tenants.FieldError].
func Parse(r io.Reader) (tenants.Manifest, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return tenants.Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	if len(text) > MaxBytes {
		return tenants.Manifest{}, fmt.Errorf("manifest is larger than %d bytes: %w", MaxBytes, tenants.ErrInvalid)
	}
	var f file
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return tenants.Manifest{}, &shapeError{explain(err)}
	}
	m, err := f.manifest()
	if err != nil {
		return tenants.Manifest{}, err
	}
	if err := m.Check(); err != nil {
		return tenants.Manifest{}, err
	}
	return m, nil
}

func (f file) manifest() (tenants.Manifest, error) {
	var m tenants.Manifest
	for i, t := range f.Tenants {
		mt := tenants.ManifestTenant{Name: t.Name}
		if t.ID != "" {
			id, err := uuid.Parse(t.ID)
			if err != nil {
				return m, tenants.Invalid(fmt.Sprintf("tenants[%d].id", i), "is not the id of a tenant; leave it out for one that this file makes")
			}
			mt.ID = id
		}
		for j, a := range t.Apps {
			ma := tenants.ManifestApp{ID: a.ID, Name: a.Name, Enabled: a.Enabled, Settings: a.settings()}
			for n, k := range a.Keys {
				key, err := k.key(fmt.Sprintf("tenants[%d].apps[%d].keys[%d]", i, j, n))
				if err != nil {
					return m, err
				}
				ma.Keys = append(ma.Keys, key)
			}
			mt.Apps = append(mt.Apps, ma)
		}
		m.Tenants = append(m.Tenants, mt)
	}
	return m, nil
}

func (k key) key(at string) (tenants.Key, error) {
	one := tenants.Key{Public: k.Key, Label: k.Label, Secret: tenants.NewSecret(k.Secret)}
	if k.Scopes == nil {
		return one, nil
	}
	if len(*k.Scopes) == 0 {
		return one, tenants.Invalid(at+".scopes", "is empty, and a key for nothing is of no use; leave it out for all")
	}
	scopes, err := tenants.CheckKeyScopes(at+".scopes", *k.Scopes)
	one.Scopes = scopes
	return one, err
}

func (a app) settings() tenants.SettingsChange {
	c := tenants.SettingsChange{Features: a.Features, Limits: a.Limits}
	if a.Origins != nil {
		list := tenants.Origins(*a.Origins)
		c.Origins = &list
	}
	if a.Rules != nil {
		rules := tenants.ChannelRules{}
		for _, r := range *a.Rules {
			rules = append(rules, tenants.ChannelRule{Pattern: r.Pattern, Log: tenants.NewChannelLog(r.Log.Size, r.Log.TTLSeconds)})
		}
		c.ChannelRules = &rules
	}
	return c
}

// shapeError says what is wrong with a file's shape.
type shapeError struct{ text string }

func (e *shapeError) Error() string { return e.text }

func (e *shapeError) Unwrap() error { return tenants.ErrInvalid }

// explain says where a file is wrong and why. The source around it is left out: secrets stand in it.
func explain(err error) string {
	var wrongType *yaml.TypeError
	if errors.As(err, &wrongType) && wrongType.Token != nil {
		pos, want := wrongType.Token.Position, wrongType.DstType.Kind()
		switch want {
		case reflect.Struct, reflect.Map:
			return fmt.Sprintf("line %d, column %d: must be a list of fields", pos.Line, pos.Column)
		case reflect.Slice:
			return fmt.Sprintf("line %d, column %d: must be a list", pos.Line, pos.Column)
		case reflect.Bool:
			return fmt.Sprintf("line %d, column %d: must be true or false", pos.Line, pos.Column)
		case reflect.Int:
			return fmt.Sprintf("line %d, column %d: must be a whole number", pos.Line, pos.Column)
		default:
			return fmt.Sprintf("line %d, column %d: must be a %s", pos.Line, pos.Column, want)
		}
	}
	var tooLarge *yaml.OverflowError
	if errors.As(err, &tooLarge) && tooLarge.Token != nil {
		pos := tooLarge.Token.Position
		return fmt.Sprintf("line %d, column %d: is too large a number", pos.Line, pos.Column)
	}
	text := yaml.FormatError(err, false, false)
	var line, column int
	if n, scanErr := fmt.Sscanf(text, "[%d:%d] ", &line, &column); scanErr == nil && n == 2 {
		_, rest, _ := strings.Cut(text, "] ")
		return fmt.Sprintf("line %d, column %d: %s", line, column, rest)
	}
	return text
}
