package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pealhq/peal/internal/devstack"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// stopDatabase bounds how long the private PostgreSQL may take to stop.
const stopDatabase = 15 * time.Second

func devCommand() *cobra.Command {
	var dataDir, seedFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, with nothing to configure",
		Long: "Run the platform with a private PostgreSQL and a demo app, whose credentials are printed. What you create\n" +
			"stays in the data folder; remove the folder to begin anew.",
		Args: noArgs,
	}
	cmd.Flags().StringVar(&dataDir, "data", ".peal", "folder that keeps the state between runs")
	cmd.Flags().StringVar(&seedFile, "seed", "", "YAML file with tenants and apps to load at each start")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the addresses and credentials as one JSON object")
	addSettingFlags(cmd, doorSettings()...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := loadSettings(cmd.Flags(), environment())
		if err != nil {
			return err
		}
		seed := tenants.Manifest{}
		if seedFile != "" {
			if seed, err = readManifest(seedFile, cmd.InOrStdin()); err != nil {
				return err
			}
		}
		d := dev{settings: s, dataDir: dataDir, seed: seed, log: newLogger(s, cmd.ErrOrStderr())}
		return d.run(cmd.Context(), func(a addresses, demo demoState) {
			if asJSON {
				printJSON(cmd.OutOrStdout(), a, demo)
			} else {
				printWelcome(cmd.OutOrStdout(), a, demo)
			}
		})
	}
	return cmd
}

// dev is the platform with what it needs from this machine.
type dev struct {
	settings settings
	dataDir  string
	seed     tenants.Manifest
	log      *slog.Logger
}

// run runs the platform until ctx ends or the private PostgreSQL does.
func (d *dev) run(ctx context.Context, ready func(addresses, demoState)) (err error) {
	if err := os.MkdirAll(d.dataDir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w; choose another with --data", err)
	}
	pg, err := devstack.StartPostgres(ctx, devstack.PostgresConfig{
		Dir: filepath.Join(d.dataDir, "postgres"), Durable: true, Logger: d.log,
	})
	if err != nil {
		return err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopDatabase)
		defer cancel()
		err = errors.Join(err, pg.Stop(stopping))
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		<-pg.Done() // After Stop at the latest.
		cancel(pg.Err())
	}()

	var keys keyring
	if keys.current, err = d.keyEncryptionKey(); err != nil {
		return err
	}
	if keys.others, err = otherKeyEncryptionKeys(d.settings); err != nil {
		return err
	}
	demo, err := d.prepare(ctx, pg.URL(), keys)
	if err != nil {
		return err
	}
	err = runPlatform(ctx, platformConfig{
		settings: d.settings, databaseURL: pg.URL(), keys: keys, log: d.log, dev: true,
		ready: func(a addresses) { ready(a, demo) },
	})
	if died := pg.Err(); died != nil {
		err = errors.Join(err, died)
	}
	return err
}

// prepare brings the schema up to date, makes the demo at the first start and applies the seed.
func (d *dev) prepare(ctx context.Context, url string, keys keyring) (demoState, error) {
	if _, err := pgdb.MigrateUp(ctx, url); err != nil {
		return demoState{}, err
	}
	store, err := openStores(ctx, url, keys)
	if err != nil {
		return demoState{}, err
	}
	defer store.Close()
	if err := seedDemo(ctx, store); err != nil {
		return demoState{}, fmt.Errorf("seed the demo: %w", err)
	}
	changes, err := store.Apply(ctx, tenants.Actor{Via: "seed"}, d.seed, false)
	if err != nil {
		return demoState{}, fmt.Errorf("seed: %w", err)
	}
	for _, c := range changes {
		d.log.InfoContext(ctx, "seeded", "action", c.Action, "what", c.What)
	}
	return findDemo(ctx, store)
}

// keyEncryptionKey returns the key of this data folder, made at the first start.
func (d *dev) keyEncryptionKey() (tenants.KeyEncryptionKey, error) {
	path := filepath.Join(d.dataDir, "key-encryption-key")
	text, err := os.ReadFile(path) //nolint:gosec // The folder is the caller's choice.
	if errors.Is(err, fs.ErrNotExist) {
		kek := tenants.NewKeyEncryptionKey()
		// Written whole or not at all: half a key would keep the folder from ever starting again.
		err := os.WriteFile(path+".new", []byte(kek.Encode()+"\n"), 0o600)
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			return kek, fmt.Errorf("keep the key-encryption key: %w", err)
		}
		return kek, nil
	}
	if err != nil {
		return tenants.KeyEncryptionKey{}, fmt.Errorf("read the key-encryption key: %w", err)
	}
	kek, err := tenants.ParseKeyEncryptionKey(string(text))
	if err != nil {
		return kek, fmt.Errorf("%s %w", path, err)
	}
	return kek, nil
}
