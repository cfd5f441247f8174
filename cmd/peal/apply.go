package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/manifest"
)

func applyCommand() *cobra.Command {
	var path string
	var yes bool
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Make the platform hold the tenants and apps that a file names",
		Long: "Create what the file names and the platform lacks, and change what differs. What the file does not\n" +
			"name is left alone; applying the same file twice changes nothing. Without --yes the changes are shown and\n" +
			"confirmed on the terminal, or only shown where there is none.",
		Args: noArgs,
	}
	cmd.Flags().StringVarP(&path, "file", "f", "", "YAML file with tenants and apps; - reads standard input")
	cmd.Flags().BoolVar(&yes, "yes", false, "apply without asking")
	addSettingFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if path == "" {
			return usagef("name the file with -f")
		}
		m, err := readManifest(path, cmd.InOrStdin())
		if err != nil {
			return err
		}
		store, err := storeOnHost(cmd)
		if err != nil {
			return err
		}
		defer store.Close()
		return apply(cmd, store, m, yes, path == "-")
	}
	return cmd
}

func apply(cmd *cobra.Command, store *stores, m tenants.Manifest, yes, stdinTaken bool) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	actor := tenants.Actor{Via: "apply"}
	if !yes {
		plan, err := store.Apply(ctx, actor, m, true)
		if err != nil {
			return err
		}
		printChanges(out, "would: ", plan)
		if len(plan) == 0 {
			return nil
		}
		if stdinTaken || !confirmed(cmd.InOrStdin(), cmd.ErrOrStderr()) {
			return usagef("nothing was changed; add --yes to apply")
		}
	}
	done, err := store.Apply(ctx, actor, m, false)
	if err != nil {
		return err
	}
	printChanges(out, "", done)
	return nil
}

func printChanges(w io.Writer, prefix string, changes []tenants.Change) {
	for _, c := range changes {
		fmt.Fprintf(w, "%s%s  %s\n", prefix, c.Action, c.What)
	}
	if len(changes) == 0 {
		fmt.Fprintln(w, "nothing to change")
	}
}

// confirmed asks a person, where there is one.
func confirmed(in io.Reader, out io.Writer) bool {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return false
	}
	fmt.Fprint(out, "Apply? [y/N] ")
	line, err := bufio.NewReader(in).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return err == nil && (answer == "y" || answer == "yes")
}

func readManifest(path string, stdin io.Reader) (tenants.Manifest, error) {
	r := stdin
	if path != "-" {
		f, err := os.Open(path) //nolint:gosec // The caller names the file to read.
		if err != nil {
			return tenants.Manifest{}, usageError{err}
		}
		defer f.Close() //nolint:errcheck // It is only read.
		r = f
	}
	m, err := manifest.Parse(r)
	if err != nil {
		return m, usagef("%s: %w", path, err)
	}
	return m, nil
}

// storeOnHost opens the database of the platform for a command that runs on its host.
func storeOnHost(cmd *cobra.Command) (*stores, error) {
	s, err := loadSettings(cmd.Flags(), environment())
	if err != nil {
		return nil, err
	}
	url, err := s.required(setDatabaseURL)
	if err != nil {
		return nil, err
	}
	keys, err := keyEncryptionKeys(s)
	if err != nil {
		return nil, err
	}
	return openStores(cmd.Context(), url, keys)
}
