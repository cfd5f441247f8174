package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// setting is one thing that can be configured: as a flag (edge-addr), as a variable (PEAL_EDGE_ADDR) and as a
// key of the configuration file (edge_addr). A flag wins over a variable, a variable over the file.
type setting struct {
	// name is the key in the file.
	name, def, help string
	// secret settings have no flag: whoever lists processes sees the arguments of all of them.
	secret bool
	// toggle settings are true or false; the flag alone means true.
	toggle bool
	// check returns what is wrong with a value, or nil. Empty values are not checked.
	check func(string) error
}

func (s setting) flag() string { return strings.ReplaceAll(s.name, "_", "-") }
func (s setting) env() string  { return envPrefix + strings.ToUpper(s.name) }

const envPrefix = "PEAL_"

// The settings' names.
const (
	setDatabaseURL                = "database_url"
	setKeyEncryptionKey           = "key_encryption_key"
	setKeyEncryptionKeyFile       = "key_encryption_key_file"
	setOtherKeyEncryptionKeys     = "other_key_encryption_keys"
	setOtherKeyEncryptionKeysFile = "other_key_encryption_keys_file"
	setRedisURL                   = "redis_url"
	setRedisPrefix                = "redis_prefix"
	setEdgeAddr                   = "edge_addr"
	setControlAddr                = "control_addr"
	setOpsAddr                    = "ops_addr"
	setEdgeURL                    = "edge_url"
	setEdgePathPrefix             = "edge_path_prefix"
	setDashboardURL               = "dashboard_url"
	setPortableSockets            = "portable_sockets"
	setTrustedProxies             = "trusted_proxies"
	setMemoryLimit                = "memory_limit"
	setAcceptRate                 = "accept_rate"
	setAddressRate                = "accept_rate_per_address"
	setFallbackHostname           = "fallback_hostname"
	setFallbackCookie             = "fallback_cookie"
	setDrainPause                 = "drain_pause"
	setDrainWindow                = "drain_window"
	setShutdownTimeout            = "shutdown_timeout"
	setLogLevel                   = "log_level"
	setLogFormat                  = "log_format"
	setSMTPURL                    = "smtp_url"
	setMailFrom                   = "mail_from"
)

// allSettings lists every setting there is.
func allSettings() []setting {
	return []setting{
		{name: setDatabaseURL, help: "PostgreSQL connection string of the control plane", secret: true},
		{name: setKeyEncryptionKey, help: "32 bytes in base64 that seal the secrets of keys at rest", secret: true},
		{name: setKeyEncryptionKeyFile, help: "file that holds key_encryption_key, in its place"},
		{name: setOtherKeyEncryptionKeys, help: "key-encryption keys that secrets may be sealed with besides, with commas between: earlier ones, or the next one", secret: true},
		{name: setOtherKeyEncryptionKeysFile, help: "file that holds other_key_encryption_keys in their place, one on each line"},
		{name: setRedisURL, help: "Redis that joins the edges of one platform, such as redis://user:password@host:6379 (rediss, redis+sentinel, redis+cluster); without it this process is all there is", secret: true},
		{name: setRedisPrefix, def: "peal:", help: "what all keys in Redis begin with, for platforms that share one", check: checkRedisPrefix},
		{name: setEdgeAddr, def: ":6001", help: "address of the edge door: sockets and the HTTP API", check: checkAddr},
		{name: setControlAddr, def: ":6002", help: "address of the control door: dashboard and admin API", check: checkAddr},
		{name: setOpsAddr, def: "127.0.0.1:6003", help: "address of the ops door: health, metrics, profiles, and the list of edges; who reaches it from elsewhere can only look", check: checkAddr},
		{name: setEdgeURL, help: "public URL of the edge; by default the dashboard's host and the edge's port", check: checkURL},
		{name: setEdgePathPrefix, help: "path in front of /app and /apps on the edge, for example /realtime", check: checkPathPrefix},
		{name: setDashboardURL, help: "public URL of the dashboard; with https its cookies are Secure", check: checkURL},
		{name: setPortableSockets, def: "false", help: "give every socket two goroutines instead of sharing a few: more memory, any system", toggle: true, check: oneOf("true", "false")},
		{name: setTrustedProxies, help: "load balancers whose X-Forwarded-For and X-Forwarded-Proto are believed, as addresses and ranges with commas between", check: checkProxies},
		{name: setMemoryLimit, def: "auto", help: "memory that the process may use, such as 2GiB; auto is what the container or the machine has. From 85 % on new sockets are refused", check: checkMemory},
		{name: setAcceptRate, def: "0", help: "new sockets a second that the edge accepts; 0 is no limit", check: checkCount},
		{name: setAddressRate, def: "100", help: "new sockets a second from one public address; 0 is no limit", check: checkCount},
		{name: setFallbackHostname, help: "host name at which clients without a WebSocket find this very process; they stay there once they have begun", check: checkHostname},
		{name: setFallbackCookie, def: "false", help: "give clients without a WebSocket a cookie that names this process, for load balancers that go by one", toggle: true, check: oneOf("true", "false")},
		{name: setDrainPause, def: "5s", help: "how long an edge that stops goes on as before once /readyz says so, for load balancers to notice; with Redis only", check: checkPause},
		{name: setDrainWindow, def: "10s", help: "over which time an edge that stops sends its sockets elsewhere, a tenth of them a second at most; with Redis only", check: checkWindow},
		{name: setShutdownTimeout, def: "20s", help: "how long a stop may take, after drain_pause, before what is left is cut off", check: checkDuration},
		//nolint:gosec // The password is an example's.
		{name: setSMTPURL, help: "mail server, such as smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host; without it no mail is sent, and `peal dev` shows it instead", secret: true, check: checkSMTPURL},
		{name: setMailFrom, help: "sender of mail, such as Peal <peal@example.com>", check: checkMailFrom},
		{name: setLogLevel, def: "info", help: "debug, info, warn or error", check: checkLogLevel},
		{name: setLogFormat, def: "auto", help: "json, text, or auto: text on a terminal and json elsewhere", check: oneOf("auto", "json", "text")},
	}
}

// addSettingFlags gives a command a flag for each of these settings that is no secret, and --config.
func addSettingFlags(cmd *cobra.Command, names ...string) {
	for _, s := range allSettings() {
		help := fmt.Sprintf("%s [$%s]", s.help, s.env())
		switch {
		case !slices.Contains(names, s.name) || s.secret:
		case s.toggle:
			cmd.Flags().Bool(s.flag(), s.def == "true", help)
		default:
			cmd.Flags().String(s.flag(), s.def, help)
		}
	}
	cmd.Flags().String("config", "", "YAML file with settings, named like the variables without PEAL_ in lower case [$PEAL_CONFIG]")
}

// settings are the values in force, checked.
type settings struct{ values *koanf.Koanf }

// loadSettings reads the file, the variables and the flags of a command and checks them whole. A key that
// does not exist is refused by name, wherever it stands.
func loadSettings(flags *pflag.FlagSet, environ []string) (settings, error) {
	s, mistakes := readSettings(flags, environ)
	if len(mistakes) > 0 {
		return s, mistakes[0]
	}
	return s, nil
}

// readSettings reads them with all the mistakes that are in them.
func readSettings(flags *pflag.FlagSet, environ []string) (settings, []error) {
	k := koanf.New(".")
	defaults := map[string]any{}
	for _, s := range allSettings() {
		defaults[s.name] = s.def
	}
	if err := k.Load(confmap.Provider(defaults, "."), nil); err != nil {
		return settings{k}, []error{fmt.Errorf("settings: %w", err)}
	}
	var mistakes []error
	if path := configFile(flags, environ); path != "" {
		mistakes = loadFile(k, path)
	}
	mistakes = append(mistakes, loadEnv(k, environ)...)
	fromFlags := posflag.ProviderWithFlag(flags, ".", k, func(f *pflag.Flag) (string, any) {
		if !f.Changed || !known(strings.ReplaceAll(f.Name, "-", "_")) {
			return "", nil
		}
		return strings.ReplaceAll(f.Name, "-", "_"), f.Value.String()
	})
	if err := k.Load(fromFlags, nil); err != nil {
		mistakes = append(mistakes, fmt.Errorf("settings: %w", err))
	}
	return settings{k}, append(mistakes, check(k)...)
}

// otherVariables are Peal's, but no settings.
func otherVariables() []string {
	return []string{
		envPrefix + "CONFIG", envPrefix + "BENCH_SECRET",
		envPrefix + "CONTEXT", envPrefix + "CONTEXTS", envPrefix + "URL", envPrefix + "TOKEN", // of the package cli
	}
}

func configFile(flags *pflag.FlagSet, environ []string) string {
	if f := flags.Lookup("config"); f != nil && f.Changed {
		return f.Value.String()
	}
	for _, kv := range environ {
		if path, ok := strings.CutPrefix(kv, envPrefix+"CONFIG="); ok {
			return path
		}
	}
	return ""
}

func loadFile(k *koanf.Koanf, path string) (mistakes []error) {
	inFile := koanf.New(".")
	if err := inFile.Load(file.Provider(path), yaml.Parser()); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return []error{usagef("the configuration file %s does not exist", path)}
		}
		return []error{usagef("configuration file %s: %w", path, err)}
	}
	for _, name := range inFile.Keys() {
		if !known(name) {
			mistakes = append(mistakes, usagef("configuration file %s: there is no setting %q%s", path, name, didYouMean(name)))
			inFile.Delete(name)
		}
	}
	if err := k.Merge(inFile); err != nil {
		mistakes = append(mistakes, fmt.Errorf("configuration file %s: %w", path, err))
	}
	return mistakes
}

func loadEnv(k *koanf.Koanf, environ []string) (mistakes []error) {
	var unknown []string
	provider := env.Provider(".", env.Opt{
		Prefix:      envPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
			if slices.Contains(otherVariables(), name) {
				return "", nil
			}
			if !known(key) {
				unknown = append(unknown, name)
				return "", nil
			}
			return key, value
		},
	})
	if err := k.Load(provider, nil); err != nil {
		mistakes = append(mistakes, fmt.Errorf("settings: %w", err))
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		hint := didYouMean(strings.ToLower(strings.TrimPrefix(name, envPrefix)))
		mistakes = append(mistakes, usagef("environment: there is no setting %s%s", name, hint))
	}
	return mistakes
}

func known(name string) bool {
	return slices.ContainsFunc(allSettings(), func(s setting) bool { return s.name == name })
}

// didYouMean names a setting that reads like an unknown one.
func didYouMean(name string) string {
	for _, s := range allSettings() {
		squash := func(n string) string {
			return strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(n))
		}
		if squash(s.name) == squash(name) || strings.HasPrefix(s.name, name) || strings.HasPrefix(name, s.name) {
			return fmt.Sprintf("; did you mean %s", s.name)
		}
	}
	return "; `peal serve --help` lists them"
}

func (s settings) text(name string) string { return s.values.String(name) }

// required returns a setting that a command cannot do without.
func (s settings) required(name string) (string, error) {
	if v := s.text(name); v != "" {
		return v, nil
	}
	return "", usagef("%s%s is not set: %s", envPrefix, strings.ToUpper(name), helpOf(name))
}

func helpOf(name string) string {
	for _, s := range allSettings() {
		if s.name == name {
			return s.help
		}
	}
	return ""
}

// url returns a setting that is a URL, or nil where it is not set.
func (s settings) url(name string) *url.URL {
	u, err := url.Parse(s.text(name))
	if err != nil || s.text(name) == "" {
		return nil
	}
	return u
}

// duration returns a setting that is a duration. It has been checked.
func (s settings) duration(name string) time.Duration {
	d, _ := time.ParseDuration(s.text(name))
	return d
}

// count returns a setting that is a number. It has been checked.
func (s settings) count(name string) int {
	n, _ := strconv.Atoi(s.text(name))
	return n
}

func environment() []string { return os.Environ() }
