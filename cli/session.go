package cli

import (
	"bufio"
	"cmp"
	stdcontext "context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pealhq/peal/admin-api/gen/peal/admin/v1/adminv1connect"
)

// session is one run of a command: where it works, as whom, and how it prints.
type session struct {
	*cobra.Command
	context
	http   *http.Client
	output output
}

// onPlatform adds to a command what all have that speak to a platform, and runs it with a session.
func onPlatform(cmd *cobra.Command, run func(s *session, args []string) error) *cobra.Command {
	cmd.Flags().String("context", "", "work in this context instead of the current one [$PEAL_CONTEXT]")
	addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := newSession(cmd)
		if err != nil {
			return err
		}
		return explain(run(s, args))
	}
	return cmd
}

func newSession(cmd *cobra.Command) (*session, error) {
	out, err := outputOf(cmd)
	if err != nil {
		return nil, err
	}
	named, _ := cmd.Flags().GetString("context")
	c, err := chosenContext(named)
	if err != nil {
		return nil, err
	}
	return &session{Command: cmd, context: c, http: newHTTPClient(c.Token), output: out}, nil
}

// chosenContext returns where to work: what the flag names, what the variables say, or the current context.
func chosenContext(named string) (context, error) {
	name := cmp.Or(named, os.Getenv("PEAL_CONTEXT"))
	at, token := os.Getenv("PEAL_URL"), os.Getenv("PEAL_TOKEN")
	if name == "" && token != "" {
		if at == "" {
			return context{}, usagef("$PEAL_TOKEN is set, but not $PEAL_URL, which says where the dashboard is")
		}
		u, err := checkPlatformURL(at)
		if err != nil {
			return context{}, usagef("$PEAL_URL: %w", err)
		}
		return context{URL: u, Token: token}, nil
	}
	f, err := loadContexts()
	if err != nil {
		return context{}, err
	}
	name = cmp.Or(name, f.Current)
	c, ok := f.Contexts[name]
	switch {
	case ok:
		return c, nil
	case name == "":
		return context{}, AuthError{errors.New("not signed in; run: peal login https://where-the-dashboard-is")}
	default:
		return context{}, usagef("there is no context %q; `peal context list` shows those that are", name)
	}
}

// AuthError is an error for want of a token, or of one that is good.
type AuthError struct{ error }

func (e AuthError) Unwrap() error { return e.error }

func checkPlatformURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		strings.Trim(u.Path, "/") != "" {
		return "", errors.New("is not the address of a dashboard; it reads like https://peal.example.com")
	}
	return u.Scheme + "://" + u.Host, nil
}

// newHTTPClient returns a client that shows a token with each request.
func newHTTPClient(token string) *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: bearer{token}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the address redirects elsewhere, where the token is not sent; use the address of the dashboard itself")
	}}
}

type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

const apiPrefix = "/api"

func (s *session) auth() adminv1connect.AuthServiceClient {
	return adminv1connect.NewAuthServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) apps() adminv1connect.AppServiceClient {
	return adminv1connect.NewAppServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) keys() adminv1connect.KeyServiceClient {
	return adminv1connect.NewKeyServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) settings() adminv1connect.SettingsServiceClient {
	return adminv1connect.NewSettingsServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) events() adminv1connect.EventServiceClient {
	return adminv1connect.NewEventServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) plans() adminv1connect.PlanServiceClient {
	return adminv1connect.NewPlanServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) operators() adminv1connect.OperatorServiceClient {
	return adminv1connect.NewOperatorServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) platform() adminv1connect.PlatformServiceClient {
	return adminv1connect.NewPlatformServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) members() adminv1connect.MemberServiceClient {
	return adminv1connect.NewMemberServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) invitations() adminv1connect.InvitationServiceClient {
	return adminv1connect.NewInvitationServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) tokens() adminv1connect.TokenServiceClient {
	return adminv1connect.NewTokenServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) usage() adminv1connect.UsageServiceClient {
	return adminv1connect.NewUsageServiceClient(s.http, s.URL+apiPrefix)
}

func (s *session) audit() adminv1connect.AuditServiceClient {
	return adminv1connect.NewAuditServiceClient(s.http, s.URL+apiPrefix)
}

// explain turns an error of the API into one that reads well on a terminal. Its code stays, for the exit code.
func explain(err error) error {
	var api *connect.Error
	if !errors.As(err, &api) {
		return err
	}
	text := strings.TrimPrefix(api.Message(), "validation error: ")
	switch {
	case errors.Is(err, stdcontext.Canceled):
		return stdcontext.Canceled
	case api.Code() == connect.CodeUnauthenticated:
		text += "; then run `peal login` again"
	case api.Code() == connect.CodeUnavailable && !connect.IsWireError(err):
		text = "the platform cannot be reached: " + text
	}
	return apiError{api, text}
}

// apiError is what the API said, in words for a terminal.
type apiError struct {
	said *connect.Error
	text string
}

func (e apiError) Error() string { return e.text }

func (e apiError) Unwrap() error { return e.said }

// confirmed asks a person, where there is one, unless --yes was given. Who cannot be asked is told to say --yes.
func (s *session) confirmed(yes bool, question string) error {
	if yes {
		return nil
	}
	f, ok := s.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return usagef("%s Nobody can be asked here: add --yes", question)
	}
	s.PrintErrf("%s [y/N] ", question)
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return usagef("nothing was changed")
	}
	return nil
}
