package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pealhq/peal/bench"
	"github.com/pealhq/peal/bench/wire"
)

// benchSecret is the variable that holds the secret of the app to load. It is no setting: bench is a client, and loads
// none of them.
const benchSecret = "PEAL_BENCH_SECRET" //nolint:gosec // the name of one

// benchOptions are what bench is told besides what is measured.
type benchOptions struct {
	targets    []string
	pids       []int
	app        wire.Credentials
	secretFile string
	output     string
}

func benchCommand() *cobra.Command {
	var cfg bench.Config
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench SCENARIO --target host:port --app-id ID --key KEY",
		Short: "Load a server that speaks the Pusher protocol, and measure it",
		Long: "Load any server that speaks the Pusher protocol, and measure it. The scenarios:\n\n" +
			"  idle      open sockets and hold them: memory for each (with --pid)\n" +
			"  connect   open sockets and subscribe them: how many a second\n" +
			"  fanout    one channel, many subscribers\n" +
			"  channels  many channels, few subscribers each\n" +
			"  publish   signed HTTP publishes that nobody hears\n" +
			"  presence  members that join one presence channel at once\n" +
			"  cluster   publish at one node, subscribe at another: --target host:port,subscribe=host:port\n\n" +
			"Messages are published in a closed loop, --window of them under way at once, or with --rate in an open one:\n" +
			"latency then counts from when a message was due, however late it was sent. Several targets are measured in turn\n" +
			"in each round and compared with the first.\n\n" +
			"A secret given with --secret is seen by whoever lists processes, so that is for servers that live no longer than\n" +
			"the measurement; there are --secret-file and " + benchSecret + " for others.",
		Example: "  peal bench fanout --target 127.0.0.1:6001 --app-id 1 --key peal-dev-key --secret peal-dev-secret\n" +
			"  peal bench fanout --target plain=127.0.0.1:7001,pid=41 --target peal=127.0.0.1:6001,pid=42 --rounds 5 …",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name one scenario: %s; see `%s --help`", bench.ScenarioNames(), cmd.CommandPath())
			}
			return nil
		},
	}
	addBenchFlags(cmd, &cfg, &o)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg.Scenario = bench.Scenario(args[0])
		return runBench(cmd, cfg, o)
	}
	return cmd
}

func addBenchFlags(cmd *cobra.Command, cfg *bench.Config, o *benchOptions) {
	f := cmd.Flags()
	f.StringArrayVar(&o.targets, "target", nil, "server to load: [name=]host:port[,pid=N][,subscribe=host:port][,app-id=ID][,key=KEY][,secret=SECRET]")
	f.StringVar(&o.app.AppID, "app-id", "", "app to publish as")
	f.StringVar(&o.app.Key, "key", "", "key of the app")
	f.StringVar(&o.app.Secret, "secret", "", "secret of the key; seen by whoever lists processes")
	f.StringVar(&o.secretFile, "secret-file", "", "file that holds the secret [$"+benchSecret+" holds the secret itself]")
	f.IntSliceVar(&o.pids, "pid", nil, "processes of the only target, to read their CPU time and memory")
	f.StringVarP(&o.output, "output", "o", "table", "table or json")

	f.IntVar(&cfg.Rounds, "rounds", 1, "how often each target is measured")
	f.IntVar(&cfg.Subscribers, "subscribers", 0, "sockets on each channel; in idle, connect and presence in all")
	f.IntVar(&cfg.Channels, "channels", 0, "channels")
	f.IntVar(&cfg.Size, "size", 128, "bytes of data in an event")
	f.IntVar(&cfg.Window, "window", 0, "closed loop: messages under way at once")
	f.Float64Var(&cfg.Rate, "rate", 0, "open loop: messages a second")
	f.IntVar(&cfg.Publishers, "publishers", 0, "HTTP connections that publish")
	f.IntVar(&cfg.Batch, "batch", 1, "publish: events in one request")
	f.IntVar(&cfg.Concurrency, "concurrency", 64, "sockets being opened at once")
	f.IntVar(&cfg.Slow, "slow", 0, "fanout and channels: sockets besides that subscribe and never read")
	f.BoolVar(&cfg.Bare, "bare", false, "idle: sockets without a subscription")
	f.DurationVar(&cfg.Warmup, "warmup", time.Second, "time before the measurement")
	f.DurationVar(&cfg.Duration, "duration", 5*time.Second, "time of the measurement")
	f.IntVar(&cfg.Messages, "messages", 0, "end after so many messages, warm-up included")
	f.DurationVar(&cfg.Drain, "drain", 5*time.Second, "how long what is under way at the end may take before it counts as lost")
	f.DurationVar(&cfg.Settle, "settle", 0, "time between two rounds; in idle also how long the sockets are held")
	f.BoolVar(&cfg.AllowRemote, "allow-remote", false, "load a server that is not on this machine")
	f.BoolVar(&cfg.Portable, "portable", false, "carry connections without epoll")
}

func runBench(cmd *cobra.Command, cfg bench.Config, o benchOptions) error {
	if o.output != "table" && o.output != "json" {
		return usagef("--output must be table or json, not %q", o.output)
	}
	if err := o.loadSecret(); err != nil {
		return err
	}
	if err := o.addTargets(cmd, &cfg); err != nil {
		return benchError(err)
	}
	cfg.Progress, cfg.Terminal = cmd.ErrOrStderr(), isTerminal(cmd.ErrOrStderr())
	res, runErr := bench.Run(cmd.Context(), cfg)
	// What was measured before an error is worth its time.
	if runErr == nil || !res.Empty() {
		if err := writeBench(cmd.OutOrStdout(), cmd.ErrOrStderr(), o.output, res); err != nil {
			return errors.Join(runErr, err)
		}
	}
	if runErr != nil {
		return benchError(runErr)
	}
	if lost, expected := res.Lost(); lost > 0 {
		return fmt.Errorf("%d of %d deliveries were lost", lost, expected)
	}
	return nil
}

// loadSecret takes the secret from where it was given.
func (o *benchOptions) loadSecret() error {
	switch {
	case o.app.Secret != "":
		return nil
	case o.secretFile != "":
		text, err := os.ReadFile(o.secretFile)
		if err != nil {
			return usagef("--secret-file: %w", err)
		}
		o.app.Secret = strings.TrimSpace(string(text))
	default:
		o.app.Secret = os.Getenv(benchSecret)
	}
	return nil
}

func (o *benchOptions) addTargets(cmd *cobra.Command, cfg *bench.Config) error {
	if len(o.targets) == 0 {
		return usagef("--target is missing: name the server as host:port")
	}
	for _, text := range o.targets {
		t, err := bench.ParseTarget(cmd.Context(), text, o.app, cfg.AllowRemote)
		if err != nil {
			return err
		}
		for _, need := range []struct{ flag, value string }{
			{"--app-id", t.App.AppID},
			{"--key", t.App.Key},
			{"--secret", t.App.Secret},
		} {
			if need.value == "" {
				return usagef("%s is missing for %s", need.flag, t.Name)
			}
		}
		cfg.Targets = append(cfg.Targets, t)
	}
	if len(o.pids) > 0 {
		if len(cfg.Targets) > 1 {
			return usagef("--pid is for one target; with several, write %s,pid=N", o.targets[0])
		}
		cfg.Targets[0].PIDs = append(cfg.Targets[0].PIDs, o.pids...)
	}
	return nil
}

// benchError makes a usage error of what the caller can mend.
func benchError(err error) error {
	var invalid *bench.InvalidError
	if errors.As(err, &invalid) {
		return usageError{err}
	}
	return err
}

func writeBench(stdout, stderr io.Writer, output string, res bench.Result) error {
	if output == "table" {
		return bench.WriteTable(stdout, res)
	}
	for _, note := range bench.Notes(res) {
		fmt.Fprintln(stderr, note)
	}
	enc := json.NewEncoder(stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(res)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
