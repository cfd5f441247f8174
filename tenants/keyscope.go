package tenants

import (
	"fmt"
	"strings"
)

// KeyScopes is a set of what a key is good for. The empty set is for nothing, so that a key whose scopes were forgotten
// opens no door.
type KeyScopes uint8

// The scopes.
const (
	// ScopePublish is for publishing events and for ending a user's connections.
	ScopePublish KeyScopes = 1 << iota
	// ScopeSubscribe is for opening sockets, and for signing what their clients subscribe to and who they are.
	ScopeSubscribe
	// ScopeQuery is for asking about channels, users and connections.
	ScopeQuery

	// ScopeAll is for everything, also for what a later version adds.
	ScopeAll KeyScopes = 1 << 7
)

// scopeNames are how scopes are told and stored; they never change.
var scopeNames = []struct {
	scope KeyScopes
	name  string
}{{ScopePublish, "publish"}, {ScopeSubscribe, "subscribe"}, {ScopeQuery, "query"}, {ScopeAll, "all"}}

// Allow tells whether all of these scopes are in the set.
func (s KeyScopes) Allow(want KeyScopes) bool { return s&ScopeAll != 0 || s&want == want }

// Names returns the scopes of the set by their names, in a fixed order.
func (s KeyScopes) Names() []string {
	names := []string{}
	for _, one := range scopeNames {
		if s&one.scope != 0 {
			names = append(names, one.name)
		}
	}
	return names
}

// String returns the names with commas between.
func (s KeyScopes) String() string { return strings.Join(s.Names(), ", ") }

// ReadKeyScopes returns the set of these names. A name that this version does not know is for nothing.
func ReadKeyScopes(names []string) KeyScopes {
	var s KeyScopes
	for _, name := range names {
		one, _ := scopeOf(name)
		s |= one
	}
	return s
}

// CheckKeyScopes returns the set that somebody asks for by names: all where there are none. One that does not exist is
// refused with those that do.
func CheckKeyScopes(field string, names []string) (KeyScopes, error) {
	var s KeyScopes
	for i, name := range names {
		one, ok := scopeOf(name)
		if !ok {
			return 0, Invalid(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q is no scope; there are publish, subscribe, query and all", name))
		}
		s |= one
	}
	if s == 0 || s&ScopeAll != 0 {
		return ScopeAll, nil
	}
	return s, nil
}

func scopeOf(name string) (KeyScopes, bool) {
	for _, one := range scopeNames {
		if one.name == name {
			return one.scope, true
		}
	}
	return 0, false
}

// ScopeError says that a key is not for what was asked. Its text is for whoever asked.
type ScopeError struct {
	Key  string
	Have KeyScopes
	// Want is what is missing.
	Want KeyScopes
}

func (e *ScopeError) Error() string {
	return fmt.Sprintf("Key %s has no scope for this: it needs %s and has %s", e.Key, e.Want, e.Have)
}

// Need returns a [ScopeError] when the key is not for this.
func (k *Key) Need(want KeyScopes) error {
	if k.Scopes.Allow(want) {
		return nil
	}
	return &ScopeError{Key: k.Public, Have: k.Scopes, Want: want &^ k.Scopes}
}
