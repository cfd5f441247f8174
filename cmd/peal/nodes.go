package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pealhq/peal/tenants"
)

// nodesCommand is for the operator who is on the machine of an edge: it speaks to that edge's ops door.
func nodesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nodes",
		Short: "List the edges of a platform, and drain one",
		Long: "List the edges of a platform, and drain one. The commands ask the ops door of an edge, which is open to its\n" +
			"own machine only; any edge knows of all.",
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(nodesListCommand(), nodesDrainCommand())
	return cmd
}

func nodesListCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "list", Short: "List the edges that the platform knows of", Args: noArgs,
		Example: "  peal nodes list\n  peal nodes list -o json | jq '.nodes[].id'",
	}
	addSettingFlags(cmd, setOpsAddr)
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if output != "table" && output != "json" {
			return usagef("--output %q is neither table nor json", output)
		}
		door, err := newOpsClient(cmd)
		if err != nil {
			return err
		}
		list, err := door.nodes(cmd.Context())
		if err != nil {
			return err
		}
		if output == "json" {
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(map[string]any{"nodes": list})
		}
		return printNodes(cmd.OutOrStdout(), list, time.Now())
	}
	return cmd
}

func printNodes(to io.Writer, list []nodeReport, now time.Time) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tSOCKETS\tCPU\tVERSION\tUP\tSEEN")
	for _, n := range list {
		fmt.Fprintf(w, "%s\t%s\t%d\t%.0f %%\t%s\t%s\t%s ago\n", n.ID, n.state(now), n.Sockets, 100*n.CPU, n.Version,
			now.Sub(n.Started).Round(time.Second), max(0, now.Sub(n.Seen)).Round(time.Second))
	}
	return w.Flush()
}

// silentAfter is how long an edge that is alive may not be seen.
const silentAfter = 10 * time.Second

func (n nodeReport) state(now time.Time) string {
	switch {
	case now.Sub(n.Seen) > silentAfter:
		return "silent"
	case n.Draining && n.Sockets == 0:
		return "drained"
	case n.Draining:
		return "draining"
	}
	return "up"
}

func nodesDrainCommand() *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use: "drain ID", Short: "Send the sockets of an edge elsewhere, and let no more come to it",
		Long: "Send the sockets of an edge elsewhere, and let no more come to it. The edge says on /readyz that it is not\n" +
			"ready, waits drain_pause for load balancers to notice, and closes its sockets over drain_window with code 4200,\n" +
			"upon which clients reconnect at once. It stays like that until its process is stopped.",
		Example: "  peal nodes drain edge-2:6001 --wait",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%s takes the id of one edge; `peal nodes list` shows them", cmd.CommandPath())
			}
			return nil
		},
	}
	addSettingFlags(cmd, setOpsAddr)
	cmd.Flags().BoolVar(&wait, "wait", false, "return when the edge has no sockets any more")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		door, err := newOpsClient(cmd)
		if err != nil {
			return err
		}
		if err := door.drain(cmd.Context(), args[0]); err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%s was asked to drain\n", args[0])
		if !wait {
			return nil
		}
		return door.untilDrained(cmd.Context(), args[0], cmd.ErrOrStderr())
	}
	return cmd
}

// opsClient speaks to the ops door of an edge.
type opsClient struct{ url *url.URL }

func newOpsClient(cmd *cobra.Command) (opsClient, error) {
	s, err := loadSettings(cmd.Flags(), environment())
	if err != nil {
		return opsClient{}, err
	}
	return opsClient{&url.URL{Scheme: "http", Host: s.text(setOpsAddr)}}, nil
}

func (c opsClient) nodes(ctx context.Context) ([]nodeReport, error) {
	var list struct{ Nodes []nodeReport }
	err := c.ask(ctx, http.MethodGet, c.url.JoinPath("nodes"), &list)
	return list.Nodes, err
}

func (c opsClient) drain(ctx context.Context, id string) error {
	return c.ask(ctx, http.MethodPost, c.url.JoinPath("nodes", url.PathEscape(id), "drain"), &struct{}{})
}

// untilDrained tells how it goes on until an edge has no sockets.
func (c opsClient) untilDrained(ctx context.Context, id string, progress io.Writer) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for before := -1; ; {
		list, err := c.nodes(ctx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(list, func(n nodeReport) bool { return n.ID == id })
		if at < 0 {
			fmt.Fprintf(progress, "%s has gone\n", id)
			return nil
		}
		switch n := list[at]; {
		case n.Draining && n.Sockets == 0:
			fmt.Fprintf(progress, "%s is drained\n", id)
			return nil
		case n.Sockets != before:
			before = n.Sockets
			fmt.Fprintf(progress, "%s has %d sockets\n", id, n.Sockets)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ask asks the ops door and reads its answer into v.
func (c opsClient) ask(ctx context.Context, method string, at *url.URL, v any) error {
	const most = 16 << 20
	req, err := http.NewRequestWithContext(ctx, method, at.String(), http.NoBody)
	if err != nil {
		return usagef("setting %s: %q is no address", setOpsAddr, c.url.Host)
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return fmt.Errorf("%w: no edge answers on %s; run this on the machine of one, or name its ops door with --ops-addr: %w",
			tenants.ErrUnavailable, c.url.Host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // It was only read.
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.url.Host, err)
	}
	if resp.StatusCode < http.StatusBadRequest {
		if err := json.Unmarshal(body, v); err != nil {
			return fmt.Errorf("%s answers what no ops door does: %w", c.url.Host, err)
		}
		return nil
	}
	var told struct{ Error string }
	if json.Unmarshal(body, &told) != nil || told.Error == "" {
		told.Error = "status " + strconv.Itoa(resp.StatusCode)
	}
	err = errors.New(told.Error)
	if resp.StatusCode == http.StatusServiceUnavailable {
		err = fmt.Errorf("%w: %w", tenants.ErrUnavailable, err)
	}
	return err
}
