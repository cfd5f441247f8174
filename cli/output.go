package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// output is a form in which a command prints. As JSON and YAML a command prints the messages of the admin API as they are, with
// the names of its schema, all fields included.
type output string

const (
	asTable output = "table"
	asJSON  output = "json"
	asYAML  output = "yaml"
)

func addOutputFlag(cmd *cobra.Command) {
	cmd.Flags().StringP("output", "o", string(asTable), "table, json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
}

func outputOf(cmd *cobra.Command) (output, error) {
	text, err := cmd.Flags().GetString("output")
	if err != nil {
		return "", err
	}
	switch o := output(text); o {
	case asTable, asJSON, asYAML:
		return o, nil
	default:
		return "", usagef("--output %q is none of table, json and yaml", text)
	}
}

// print prints a message in the form that was asked for. The table is what f writes, a line for each row with tabs between.
func (s *session) print(m proto.Message, f func(w io.Writer)) error {
	if s.output == asTable {
		return table(s.OutOrStdout(), f)
	}
	text, err := toJSON(m)
	if err != nil {
		return err
	}
	return s.printJSON(text)
}

// toJSON returns a message as JSON, without spaces and always the same.
func toJSON(m proto.Message) ([]byte, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return nil, fmt.Errorf("print %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return compact.Bytes(), nil
}

// printFields prints only these fields of a message, of which the others are about something else.
func (s *session) printFields(m proto.Message, names ...string) error {
	text, err := toJSON(m)
	if err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	some := make(map[string]json.RawMessage, len(names))
	for _, name := range names {
		some[name] = all[name]
	}
	return s.printValue(some)
}

// printValue prints what is no message of the API.
func (s *session) printValue(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return s.printJSON(text)
}

func (s *session) printJSON(text []byte) error {
	var err error
	if s.output == asYAML {
		if text, err = yaml.JSONToYAML(text); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		_, err = s.OutOrStdout().Write(text)
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", "  "); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	pretty.WriteByte('\n')
	_, err = pretty.WriteTo(s.OutOrStdout())
	return err
}

func table(out io.Writer, f func(w io.Writer)) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	f(w)
	return w.Flush()
}

// row writes one row of a table. What people named themselves cannot break it.
func row(w io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = cell(c)
	}
	fmt.Fprintln(w, strings.Join(texts, "\t"))
}

func cell(v any) string {
	switch v := v.(type) {
	case *timestamppb.Timestamp:
		if v == nil {
			return "-"
		}
		return v.AsTime().UTC().Format(time.RFC3339)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		if v == "" {
			return "-"
		}
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, v)
	default:
		return fmt.Sprint(v)
	}
}

// done says on the terminal what was done. It is no data, so programs that read those do not see it.
func (s *session) done(format string, args ...any) { s.PrintErrf(format+"\n", args...) }
