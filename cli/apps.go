package cli

import (
	"fmt"
	"io"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func appsCommand() *cobra.Command {
	return group("apps", "List, create and change apps",
		"List, create and change apps. Where a command takes an APP, give its id, or its name where that has something\nother than digits.",
		appsListCommand(), appsShowCommand(), appsCreateCommand(), appsRenameCommand(),
		appsSwitchCommand("enable", "Let an app accept sockets and requests again"),
		appsSwitchCommand("disable", "Make an app refuse sockets and requests, and close the sockets that are open"),
		appsDeleteCommand())
}

func appsListCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "list", Short: "List the apps", Args: noArgs}, func(s *session, _ []string) error {
		list, err := s.allApps()
		if err != nil {
			return err
		}
		return s.printApps(&adminv1.ListAppsResponse{Apps: list})
	})
}

// allApps returns the apps of all pages.
func (s *session) allApps() ([]*adminv1.App, error) {
	var all []*adminv1.App
	req := &adminv1.ListAppsRequest{PageSize: 200}
	for {
		page, err := s.apps().ListApps(s.Context(), req)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetApps()...)
		if page.GetNextPageToken() == "" {
			return all, nil
		}
		req.PageToken = page.GetNextPageToken()
	}
}

func (s *session) printApps(list *adminv1.ListAppsResponse) error {
	return s.print(list, func(w io.Writer) {
		row(w, "ID", "NAME", "ENABLED", "CREATED")
		for _, a := range list.GetApps() {
			row(w, a.GetId(), a.GetName(), a.GetEnabled(), a.GetCreateTime())
		}
	})
}

// app returns the id of an app that is named by its id or its name.
func (s *session) app(named string) (string, error) {
	if named != "" && strings.Trim(named, "0123456789") == "" {
		return named, nil
	}
	list, err := s.allApps()
	if err != nil {
		return "", err
	}
	for _, a := range list {
		if strings.EqualFold(a.GetName(), named) {
			return a.GetId(), nil
		}
	}
	return "", notFound("there is no app %q; `peal apps list` shows those that are", named)
}

// onApp is onPlatform for a command whose first argument is an app. run gets the app's id, and the arguments after it.
func onApp(cmd *cobra.Command, run func(s *session, app string, args []string) error) *cobra.Command {
	return onPlatform(cmd, func(s *session, args []string) error {
		id, err := s.app(args[0])
		if err != nil {
			return err
		}
		return run(s, id, args[1:])
	})
}

func appsShowCommand() *cobra.Command {
	return onApp(&cobra.Command{Use: "show APP", Short: "Show one app", Args: takes(1, 1, "one app")},
		func(s *session, id string, _ []string) error {
			a, err := s.apps().GetApp(s.Context(), &adminv1.GetAppRequest{AppId: id})
			if err != nil {
				return err
			}
			return s.print(a, func(w io.Writer) { appRow(w, a.GetApp()) })
		})
}

func appRow(w io.Writer, a *adminv1.App) {
	row(w, "ID", "NAME", "ENABLED", "CREATED")
	row(w, a.GetId(), a.GetName(), a.GetEnabled(), a.GetCreateTime())
}

func appsCreateCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "create NAME", Short: "Create an app with one key", Args: takes(1, 1, "the name of one app")},
		func(s *session, args []string) error {
			a, err := s.apps().CreateApp(s.Context(), &adminv1.CreateAppRequest{Name: args[0]})
			if err != nil {
				return err
			}
			s.done("created; `peal keys reveal %s %s` shows the secret of its key", a.GetApp().GetId(), a.GetKey().GetKey())
			return s.print(a, func(w io.Writer) {
				row(w, "ID", "NAME", "KEY")
				row(w, a.GetApp().GetId(), a.GetApp().GetName(), a.GetKey().GetKey())
			})
		})
}

func appsRenameCommand() *cobra.Command {
	return onApp(&cobra.Command{Use: "rename APP NAME", Short: "Give an app another name", Args: takes(2, 2, "an app and its new name")},
		func(s *session, id string, args []string) error {
			a, err := s.apps().RenameApp(s.Context(), &adminv1.RenameAppRequest{AppId: id, Name: args[0]})
			if err != nil {
				return err
			}
			return s.print(a, func(w io.Writer) { appRow(w, a.GetApp()) })
		})
}

// appsSwitchCommand is `peal apps enable` or disable. The latter closes sockets, so it asks.
func appsSwitchCommand(verb, short string) *cobra.Command {
	var yes bool
	cmd := onApp(&cobra.Command{Use: verb + " APP", Short: short, Args: takes(1, 1, "one app")}, func(s *session, id string, _ []string) error {
		if verb == "enable" {
			a, err := s.apps().EnableApp(s.Context(), &adminv1.EnableAppRequest{AppId: id})
			if err != nil {
				return err
			}
			return s.print(a, func(w io.Writer) { appRow(w, a.GetApp()) })
		}
		if err := s.confirmed(yes, "Disable the app "+id+"? All its sockets are closed."); err != nil {
			return err
		}
		a, err := s.apps().DisableApp(s.Context(), &adminv1.DisableAppRequest{AppId: id})
		if err != nil {
			return err
		}
		return s.print(a, func(w io.Writer) { appRow(w, a.GetApp()) })
	})
	if verb == "disable" {
		cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	}
	return cmd
}

func appsDeleteCommand() *cobra.Command {
	var yes bool
	cmd := onApp(&cobra.Command{Use: "delete APP", Short: "Delete an app with its keys and close its sockets, for good", Args: takes(1, 1, "one app")},
		func(s *session, id string, _ []string) error {
			if err := s.confirmed(yes, "Delete the app "+id+" for good, with its keys?"); err != nil {
				return err
			}
			if _, err := s.apps().DeleteApp(s.Context(), &adminv1.DeleteAppRequest{AppId: id}); err != nil {
				return err
			}
			s.done("deleted")
			return nil
		})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// pairs reads arguments such as payload_bytes=20000.
func pairs(args []string) (map[string]string, error) {
	set := make(map[string]string, len(args))
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" || value == "" {
			return nil, usagef("%q does not read like NAME=VALUE", arg)
		}
		if _, twice := set[name]; twice {
			return nil, usagef("%s is set twice", name)
		}
		set[name] = value
	}
	return set, nil
}

func notFound(format string, args ...any) error {
	return connect.NewError(connect.CodeNotFound, fmt.Errorf(format, args...))
}
