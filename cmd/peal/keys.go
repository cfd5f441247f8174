package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgseal"
)

func resealCommand() *cobra.Command {
	var dryRun bool
	var output string
	cmd := &cobra.Command{
		Use:   "reseal",
		Short: "Seal all secrets anew under the current key-encryption key",
		Long: "Seal all secrets in the database anew under PEAL_KEY_ENCRYPTION_KEY, so that earlier key-encryption keys can be\n" +
			"thrown away. PEAL_OTHER_KEY_ENCRYPTION_KEYS must hold those that secrets are sealed with now. Everything goes on\n" +
			"meanwhile, provided that every edge has both keys. It may be broken off and run again at any time.\n\n" +
			"It exits with 1 when secrets are left that it could not open.",
		Example: "  peal keys reseal --dry-run\n  peal keys reseal",
		Args:    noArgs,
	}
	addSettingFlags(cmd, setKeyEncryptionKeyFile, setOtherKeyEncryptionKeysFile)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only tell with which key-encryption keys everything is sealed")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if output != "table" && output != "json" {
			return usagef("--output %q is neither table nor json", output)
		}
		store, err := storeOnHost(cmd)
		if err != nil {
			return err
		}
		defer store.Close()
		if dryRun {
			return tellSealed(cmd, store, output)
		}
		return reseal(cmd, store, output)
	}
	return cmd
}

// sealedReport is one key-encryption key in one table, as people and programs are told of it.
type sealedReport struct {
	Table            string `json:"table"`
	KeyEncryptionKey string `json:"key_encryption_key"`
	// Key is current, other, or missing.
	Key  string `json:"key"`
	Rows int    `json:"rows"`
}

func tellSealed(cmd *cobra.Command, store *stores, output string) error {
	counts, err := store.seals.Counts(cmd.Context())
	if err != nil {
		return err
	}
	list := make([]sealedReport, 0, len(counts))
	for _, c := range counts {
		r := sealedReport{Table: c.Place, KeyEncryptionKey: c.SealedWith, Key: "current", Rows: c.Rows}
		if earlier, _ := store.seals.Judge([]pgseal.Count{c}); earlier > 0 {
			r.Key = "other"
		} else if c.SealedWith != store.sealer.ID() {
			r.Key = "missing"
		}
		list = append(list, r)
	}
	if output == "json" {
		return writeIndented(cmd.OutOrStdout(), map[string]any{"sealed": list})
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TABLE\tKEY-ENCRYPTION KEY\tKEY\tROWS")
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", r.Table, r.KeyEncryptionKey, r.Key, r.Rows)
	}
	return w.Flush()
}

func reseal(cmd *cobra.Command, store *stores, output string) error {
	done, err := store.seals.Reseal(cmd.Context(), tenants.Actor{Via: "reseal"}, func(p pgseal.Progress) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d of %d sealed anew\n", p.Place, p.Resealed, p.Of)
	})
	if output == "json" {
		if err := writeIndented(cmd.OutOrStdout(), map[string]any{"resealed": done}); err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "TABLE\tRESEALED\tUNREADABLE")
		for _, p := range done {
			fmt.Fprintf(w, "%s\t%d\t%d\n", p.Place, p.Resealed, p.Unreadable)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	left := 0
	for _, p := range done {
		left += p.Unreadable
	}
	if left > 0 {
		return fmt.Errorf("%d secrets could not be opened and were left as they are; `peal keys reseal --dry-run` shows which key-encryption keys are missing", left)
	}
	return nil
}

func writeIndented(to io.Writer, v any) error {
	e := json.NewEncoder(to)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
