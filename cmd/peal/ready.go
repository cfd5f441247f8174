package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pealhq/peal/tenants"
)

// readyCommand is the health check of a container, in which there is nothing else to ask with.
func readyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "ready", Short: "Ask the edge on this machine whether it is ready",
		Long: "Ask the edge on this machine whether it is ready: /readyz of its ops door. It exits with 0 when clients may be\n" +
			"sent there, 1 when not, and 7 when nobody answers. Not ready is no reason to restart an edge; see docs/operations.md.",
		Args: noArgs,
	}
	addSettingFlags(cmd, setOpsAddr)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		door, err := newOpsClient(cmd)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*checkTimeout)
		defer cancel()
		report, err := door.readiness(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), report.Status)
		for _, trouble := range report.troubles() {
			fmt.Fprintln(cmd.ErrOrStderr(), trouble)
		}
		if !report.ready() {
			return fmt.Errorf("the edge at %s is not ready", door.url.Host)
		}
		return nil
	}
	return cmd
}

// troubles are the checks that are not ok, as "name: what".
func (r healthReport) troubles() (list []string) {
	for _, name := range slices.Sorted(maps.Keys(r.Checks)) {
		if r.Checks[name] != statusOK {
			list = append(list, name+": "+r.Checks[name])
		}
	}
	return list
}

// machineClient asks what is on this machine, where no proxy of the environment stands between.
var machineClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}

// readiness is what /readyz says.
func (c opsClient) readiness(ctx context.Context) (r healthReport, err error) {
	const most = 1 << 20
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url.JoinPath("readyz").String(), http.NoBody)
	if err != nil {
		return r, usagef("setting %s: %q is no address", setOpsAddr, c.url.Host)
	}
	resp, err := machineClient.Do(req)
	if err != nil {
		return r, fmt.Errorf("%w: no edge answers on %s: %w", tenants.ErrUnavailable, c.url.Host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // It was only read.
	if err := json.NewDecoder(io.LimitReader(resp.Body, most)).Decode(&r); err != nil || r.Status == "" || r.Checks["database"] == "" {
		return r, fmt.Errorf("what answers on %s is no ops door (status %d)", c.url.Host, resp.StatusCode)
	}
	return r, nil
}
