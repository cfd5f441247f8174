package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/pealhq/peal/tenants"
)

// doorSettings are what `peal serve` and `peal dev` have in common.
func doorSettings() []string {
	return []string{
		setKeyEncryptionKeyFile, setOtherKeyEncryptionKeysFile, setRedisPrefix, setEdgeAddr, setControlAddr, setOpsAddr, setEdgeURL, setEdgePathPrefix, setDashboardURL,
		setPortableSockets, setTrustedProxies, setFallbackHostname, setFallbackCookie,
		setMemoryLimit, setAcceptRate, setAddressRate, setDrainPause, setDrainWindow, setShutdownTimeout, setMailFrom, setLogLevel, setLogFormat,
	}
}

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the platform on a PostgreSQL database of yours",
		Long: "Run the platform: the edge, the dashboard and the ops door.\n\n" +
			"PEAL_DATABASE_URL says where PostgreSQL is and PEAL_KEY_ENCRYPTION_KEY seals the secrets of keys; both come\n" +
			"from the environment or the configuration file, never as flags. Run `peal migrate up` first.\n" +
			"PEAL_REDIS_URL joins any number of these processes into one platform. Without it this is a single node: events\n" +
			"reach the sockets of this process.",
		Args: noArgs,
	}
	addSettingFlags(cmd, doorSettings()...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := loadSettings(cmd.Flags(), environment())
		if err != nil {
			return err
		}
		databaseURL, err := s.required(setDatabaseURL)
		if err != nil {
			return err
		}
		keys, err := keyEncryptionKeys(s)
		if err != nil {
			return err
		}
		log := newLogger(s, cmd.ErrOrStderr())
		return runPlatform(cmd.Context(), platformConfig{
			settings: s, databaseURL: databaseURL, keys: keys, log: log,
			ready: func(a addresses) {
				bus := "in memory: a single node"
				if s.text(setRedisURL) != "" {
					bus = "on Redis"
				}
				log.Info("peal is up", "bus", bus,
					"edge", a.edge.String(), "dashboard", a.dashboard.String(), "ops", a.ops.String(), "version", buildVersion())
			},
		})
	}
	return cmd
}

func isUnavailable(err error) bool { return errors.Is(err, tenants.ErrUnavailable) }
