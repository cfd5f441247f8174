package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/pealhq/peal/tenants"
)

// keyring is the key-encryption key that secrets are sealed with, and the others that they may still be sealed with.
type keyring struct {
	current tenants.KeyEncryptionKey
	others  []tenants.KeyEncryptionKey
}

func (k keyring) sealer() (*tenants.Sealer, error) { return tenants.NewSealer(k.current, k.others...) }

// keyEncryptionKeys returns the keys that the settings give, in themselves or in files.
func keyEncryptionKeys(s settings) (ring keyring, err error) {
	if ring.others, err = otherKeyEncryptionKeys(s); err != nil {
		return ring, err
	}
	text, from, err := textOrFile(s, setKeyEncryptionKey, setKeyEncryptionKeyFile)
	if err != nil {
		return ring, err
	}
	switch {
	case text == "" && s.text(setKeyEncryptionKeyFile) != "":
		return ring, usagef("%s holds no key", from)
	case text == "":
		_, err = s.required(setKeyEncryptionKey)
		return ring, err
	}
	if ring.current, err = tenants.ParseKeyEncryptionKey(text); err != nil {
		return ring, usagef("%s %w", from, err)
	}
	return ring, nil
}

// otherKeyEncryptionKeys returns the keys that only open: in a list with commas, or in a file with a line for each.
func otherKeyEncryptionKeys(s settings) (others []tenants.KeyEncryptionKey, err error) {
	text, from, err := textOrFile(s, setOtherKeyEncryptionKeys, setOtherKeyEncryptionKeysFile)
	if err != nil {
		return nil, err
	}
	for i, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		kek, err := tenants.ParseKeyEncryptionKey(one)
		if err != nil {
			return nil, usagef("%s, key %d: it %w", from, i+1, err)
		}
		others = append(others, kek)
	}
	return others, nil
}

// textOrFile returns a secret setting, or what the file holds that another setting names, and where it came from.
func textOrFile(s settings, inItself, inFile string) (text, from string, err error) {
	variable := func(name string) string { return envPrefix + strings.ToUpper(name) }
	text, path := s.text(inItself), s.text(inFile)
	switch {
	case path == "":
		return text, variable(inItself), nil
	case text != "":
		return "", "", usagef("%s and %s are both set; leave one of them out", variable(inItself), variable(inFile))
	}
	b, err := os.ReadFile(path) //nolint:gosec // Whoever configures the process names the file.
	if err != nil {
		return "", "", usagef("%s: %w", variable(inFile), err)
	}
	return strings.TrimSpace(string(b)), fmt.Sprintf("%s (%s)", variable(inFile), path), nil
}
