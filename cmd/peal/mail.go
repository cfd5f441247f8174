package main

import (
	"context"
	"errors"
	"strings"

	"github.com/pealhq/peal/mail"
)

// mailing is how mail leaves this process.
type mailing struct {
	worker *mail.Worker
	// box is where mail is shown by `peal dev` without a mail server; nil otherwise.
	box *mail.Box
	// sends tells whether who is sent a mail will see it.
	sends bool
}

// openMail makes it. It connects to nothing.
func (p *platform) openMail() error {
	m := &p.mailing
	sender, err := p.mailSender()
	if err != nil {
		return err
	}
	m.worker = mail.NewWorker(mail.WorkerConfig{Outbox: p.store.outbox, Sender: sender, Logger: p.cfg.log})
	p.metrics.MustRegister(m.worker.Collectors()...)
	return nil
}

func (p *platform) mailSender() (mail.Sender, error) {
	switch {
	case p.cfg.settings.text(setSMTPURL) != "":
		p.mailing.sends = true
		return newSMTP(p.cfg.settings)
	case p.cfg.dev:
		p.mailing.box, p.mailing.sends = mail.NewBox(p.cfg.log), true
		return p.mailing.box, nil
	default:
		p.cfg.log.Warn("no mail server is set: nobody can have a forgotten password reset, and links of invitations are for whoever invites to hand over; see PEAL_SMTP_URL")
		return mail.Nowhere{Logger: p.cfg.log}, nil
	}
}

// newSMTP returns the sender that the settings ask for, which have been checked.
func newSMTP(s settings) (*mail.SMTP, error) {
	server, err := mail.ParseServer(s.text(setSMTPURL))
	if err != nil {
		return nil, usagef("%s%s %w", envPrefix, strings.ToUpper(setSMTPURL), err)
	}
	return mail.NewSMTP(mail.SMTPConfig{Server: server, From: s.text(setMailFrom)})
}

func checkSMTPURL(v string) error {
	_, err := mail.ParseServer(v)
	return err
}

func checkMailFrom(v string) error {
	_, err := mail.ParseFrom(v)
	return err
}

// checkMailTogether checks what mail needs besides a server.
func checkMailTogether(s settings) error {
	if s.text(setSMTPURL) == "" {
		return nil
	}
	if s.text(setMailFrom) == "" {
		return usagef("setting %s is set and %s is not: mail needs a sender, such as Peal <peal@example.com>", setSMTPURL, setMailFrom)
	}
	if s.url(setDashboardURL) == nil {
		return usagef("setting %s is set and %s is not: links in mails must say where the dashboard is", setSMTPURL, setDashboardURL)
	}
	return nil
}

// examineMail tells whether the mail server takes us in.
func (d *doctor) examineMail(ctx context.Context) {
	const check = "mail"
	if d.settings.text(setSMTPURL) == "" {
		d.warn(check, "%s is not set: forgotten passwords cannot be reset, addresses are not verified, and links of invitations are handed over by hand", setSMTPURL)
		return
	}
	if checkSMTPURL(d.settings.text(setSMTPURL)) != nil || checkMailTogether(d.settings) != nil || checkMailFrom(d.settings.text(setMailFrom)) != nil {
		return // That has been told.
	}
	sender, err := newSMTP(d.settings)
	if err != nil {
		d.fail(check, "%v", err)
		return
	}
	if err := sender.Check(ctx); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			d.away(check, "the mail server does not answer in time: %v", err)
			return
		}
		d.fail(check, "the mail server does not take us in; check host, port, user and password: %v", err)
		return
	}
	d.ok(check, "the mail server answers; whether it sends as %s only a mail can tell", d.settings.text(setMailFrom))
}
