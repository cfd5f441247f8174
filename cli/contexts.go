package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/goccy/go-yaml"
)

// contextFile is what is kept on this machine: where platforms are, and as whom one works there. It holds tokens, so nobody else
// may read it.
type contextFile struct {
	// Current is the context that commands work in, unless they name another one.
	Current  string             `yaml:"current,omitempty"`
	Contexts map[string]context `yaml:"contexts,omitempty"`
}

// context is one platform, and an API token of it.
type context struct {
	URL   string `yaml:"url"`
	Token string `yaml:"token"`
	// Who says for people whose token it is.
	Who string `yaml:"who,omitempty"`
}

var contextName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// contextsPath returns where the file is: $PEAL_CONTEXTS, or in the configuration folder of the user.
func contextsPath() (string, error) {
	if path := os.Getenv("PEAL_CONTEXTS"); path != "" {
		return path, nil
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the folder of the user's configuration: %w; name a file with $PEAL_CONTEXTS", err)
	}
	return filepath.Join(folder, "peal", "contexts.yaml"), nil
}

// loadContexts reads the file. One that is not there is empty.
func loadContexts() (contextFile, error) {
	f := contextFile{Contexts: map[string]context{}}
	path, err := contextsPath()
	if err != nil {
		return f, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("read contexts: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return f, usagef("%s holds tokens and can be read by others (%v); run: chmod 600 %s", path, mode, path)
	}
	text, err := os.ReadFile(path) //nolint:gosec // The user says where it is.
	if err != nil {
		return f, fmt.Errorf("read contexts: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return f, usagef("%s cannot be read: %w", path, err)
	}
	if f.Contexts == nil {
		f.Contexts = map[string]context{}
	}
	return f, nil
}

// save writes the file, whole or not at all.
func (f contextFile) save() error {
	path, err := contextsPath()
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(f)
	if err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	// It has mode 0600 from the start.
	temp, err := os.CreateTemp(folder, ".contexts-*")
	if err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write contexts: %w", err), os.Remove(temp.Name()))
	}
	return nil
}
