package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pealhq/peal/tenants/pgdb"
)

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date, or show what it has",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	up := &cobra.Command{Use: "up", Short: "Apply what is pending", Args: noArgs, RunE: migrateUp}
	status := &cobra.Command{Use: "status", Short: "List the migrations and when each was applied", Args: noArgs, RunE: migrateStatus}
	addSettingFlags(up)
	addSettingFlags(status)
	cmd.AddCommand(up, status)
	return cmd
}

func migrateUp(cmd *cobra.Command, _ []string) error {
	url, err := databaseURL(cmd)
	if err != nil {
		return err
	}
	applied, err := pgdb.MigrateUp(cmd.Context(), url)
	if err != nil {
		return err
	}
	for _, m := range applied {
		fmt.Fprintln(cmd.OutOrStdout(), "applied", m.Name)
	}
	if len(applied) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "nothing to apply")
	}
	return nil
}

func migrateStatus(cmd *cobra.Command, _ []string) error {
	url, err := databaseURL(cmd)
	if err != nil {
		return err
	}
	list, err := pgdb.Migrations(cmd.Context(), url)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tNAME\tAPPLIED")
	for _, m := range list {
		applied := "pending"
		if !m.AppliedAt.IsZero() {
			applied = m.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\n", m.Version, m.Name, applied)
	}
	return w.Flush()
}

// databaseURL returns the URL that a command works on.
func databaseURL(cmd *cobra.Command) (string, error) {
	s, err := loadSettings(cmd.Flags(), environment())
	if err != nil {
		return "", err
	}
	return s.required(setDatabaseURL)
}
