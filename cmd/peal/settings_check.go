package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/v2"
)

// check checks all values. One that was emptied would otherwise open a door on a port that nobody chose.
func check(k *koanf.Koanf) (mistakes []error) {
	for _, s := range allSettings() {
		value := k.String(s.name)
		if value == "" && s.def != "" {
			mistakes = append(mistakes, usagef("setting %s (--%s, $%s) is empty; leave it out for %s", s.name, s.flag(), s.env(), s.def))
		}
		if value == "" || s.check == nil {
			continue
		}
		if err := s.check(value); err != nil {
			mistakes = append(mistakes, s.mistake(value, err))
		}
	}
	if len(mistakes) > 0 {
		return mistakes // What cannot be read cannot be compared.
	}
	if err := checkTogether(settings{k}); err != nil {
		mistakes = append(mistakes, err)
	}
	return mistakes
}

// mistake tells what is wrong with a value. One that is secret is not repeated.
func (s setting) mistake(value string, err error) error {
	if s.secret {
		return usagef("setting %s ($%s) %w", s.name, s.env(), err)
	}
	return usagef("setting %s (--%s, $%s): %q %w", s.name, s.flag(), s.env(), value, err)
}

// checkTogether checks what no value can be wrong in by itself.
func checkTogether(s settings) error {
	if window, all := s.duration(setDrainWindow), s.duration(setShutdownTimeout); s.text(setRedisURL) != "" && all < 2*window {
		return usagef("setting %s is %s and %s %s: a stop needs twice the time in which it sends the sockets elsewhere, for those who are slow to go",
			setDrainWindow, window, setShutdownTimeout, all)
	}
	return checkMailTogether(s)
}

func checkAddr(v string) error {
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("is not an address; it reads like :6001 or 127.0.0.1:6001")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errors.New("has no port between 0 and 65535; 0 takes a free one")
	}
	return nil
}

func checkURL(v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return errors.New("is not a URL; it reads like https://edge.example.com")
	}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("must be scheme, host and port only")
	}
	return nil
}

func checkPathPrefix(v string) error {
	if !strings.HasPrefix(v, "/") || strings.HasSuffix(v, "/") || strings.ContainsAny(v, "?#% ") {
		return errors.New("must begin with a slash and not end with one")
	}
	return nil
}

func checkCount(v string) error {
	const most = 1_000_000_000 // more than any count needs
	if n, err := strconv.Atoi(v); err != nil || n < 0 || n > most {
		return errors.New("is not a number from 0")
	}
	return nil
}

func checkDuration(v string) error {
	if d, err := time.ParseDuration(v); err != nil || d <= 0 {
		return errors.New("is not a duration; it reads like 20s or 2m")
	}
	return nil
}

func checkPause(v string) error {
	if d, err := time.ParseDuration(v); err != nil || d < 0 {
		return errors.New("is not a duration from 0s; it reads like 5s")
	}
	return nil
}

// leastWindow is what a tenth of the sockets a second takes.
const leastWindow = 10 * time.Second

func checkWindow(v string) error {
	if d, err := time.ParseDuration(v); err != nil || d < leastWindow {
		return errors.New("is not a duration from 10s, so that no more than a tenth of the sockets are moved in a second")
	}
	return nil
}

// checkRedisPrefix keeps the braces to the bus: what is in them decides in which slot of a Cluster a key is.
func checkRedisPrefix(v string) error {
	const longest = 64
	if strings.ContainsAny(v, "{}* \t\r\n") || len(v) > longest {
		return errors.New("must have at most 64 characters and no braces, stars or blanks")
	}
	return nil
}

func checkLogLevel(v string) error {
	var l slog.Level
	if err := l.UnmarshalText([]byte(v)); err != nil {
		return errors.New("is none of debug, info, warn, error")
	}
	return nil
}

func oneOf(values ...string) func(string) error {
	return func(v string) error {
		if slices.Contains(values, v) {
			return nil
		}
		return fmt.Errorf("is none of %s", strings.Join(values, ", "))
	}
}
