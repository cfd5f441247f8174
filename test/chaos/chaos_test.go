package chaos

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/test/chaos/stack"
)

// source is the folder of the module, from here.
const source = "../.."

// TestMain lets more rows run at once than there are cores: a row waits for most of its time.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestShort runs the most telling rows against the program, both built with the race detector. `make chaos` runs all of
// them, for longer, and with more clients.
func TestShort(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "peal")
	if err := stack.Build(t.Context(), source, binary, true); err != nil {
		t.Fatal(err)
	}
	for _, row := range Rows() {
		if !row.Short {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			cfg := Short()
			cfg.Source, cfg.Binary = source, binary
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			r := RunRow(ctx, cfg, row)
			t.Logf("%s, in %v\n%s", row.Title, r.Took.Round(time.Second), strings.Join(Complaints(r), "\n"))
			if !r.Passed() {
				t.Errorf("%s does not hold", row.Name)
			}
		})
	}
}

func TestRowsAreChosenByName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":        rowNames(Rows()),
		"R1":      "R1",
		"r3":      "R3s, R3c",
		"R9,R3c":  "R9, R3c",
		"R4,R20":  "R4a, R4b, R4c, R20a, R20b",
		"R2,S1,S": "",
		"R":       "",
		"no":      "",
	} {
		var names []string
		if text != "" {
			names = strings.Split(text, ",")
		}
		got, err := choose(names)
		if want == "" {
			if err == nil {
				t.Errorf("%q: chose %s", text, rowNames(got))
			}
			continue
		}
		if err != nil || rowNames(got) != want {
			t.Errorf("%q: %s, %v, want %s", text, rowNames(got), err, want)
		}
	}
}

func TestTheSizesThatShipAreAllowed(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{Full(), Short()} {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
	wrong := Full()
	wrong.Edges = 1
	if wrong.Check() == nil {
		t.Error("one edge is no platform of many")
	}
}

// TestSeatsCoverEverything: each channel of each app must have sockets on each edge, or a row would look where nobody is.
func TestSeatsCoverEverything(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{Full(), Short()} {
		s := &Stage{cfg: c, names: c.channelNames()}
		type place struct{ app, edge, channel int }
		taken := map[place]int{}
		for _, seat := range s.seats() {
			taken[place{seat.App, seat.Edge, int(seat.Channel)}]++
		}
		if want := 2 * c.Edges * c.Channels; len(taken) != want {
			t.Errorf("%d sockets sit in %d of %d places", c.Sockets, len(taken), want)
		}
	}
}
