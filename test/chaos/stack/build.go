package stack

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build builds the program from a folder with the module's source.
func Build(ctx context.Context, source, to string, race bool) error {
	args := []string{"build", "-buildvcs=false", "-o", to}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/peal")...)
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build peal in %s: %w\n%s", source, err, out)
	}
	return nil
}

// BuildCommit builds the program as it was at a commit, in a work tree of its own that is removed again.
func BuildCommit(ctx context.Context, source, commit, to string) (err error) {
	dir, err := os.MkdirTemp("", "peal-previous-")
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "tree")
	defer func() {
		_, removeErr := git(context.WithoutCancel(ctx), source, "worktree", "remove", "--force", tree)
		if rmErr := os.RemoveAll(dir); err == nil {
			err = removeErr
			if err == nil {
				err = rmErr
			}
		}
	}()
	if _, err := git(ctx, source, "worktree", "add", "--detach", tree, commit); err != nil {
		return err
	}
	return Build(ctx, tree, to, false)
}

// redisSetting is in the file of the settings since the program knows Redis.
const redisSetting = "redis_url"

// Previous chooses the commit whose program is run beside the current one: the one given; or else the last before the bus's
// envelope changed; or else the one that is back commits behind. It must know Redis, and why says how it was chosen.
func Previous(ctx context.Context, source, given string, back int) (commit, why string, err error) {
	if given != "" {
		commit, err = git(ctx, source, "rev-parse", "--verify", given+"^{commit}")
		return commit, "as asked for", err
	}
	changed, err := git(ctx, source, "log", "-1", "--format=%H", "--", "channels/redisbus/envelope.go")
	if err != nil {
		return "", "", err
	}
	if before, err := git(ctx, source, "rev-parse", "--verify", changed+"~1"); err == nil && knowsRedis(ctx, source, before) {
		return before, "the last before the envelope changed", nil
	}
	for n := back; n > 0; n-- {
		commit, err := git(ctx, source, "rev-parse", "--verify", fmt.Sprintf("HEAD~%d", n))
		if err == nil && knowsRedis(ctx, source, commit) {
			return commit, fmt.Sprintf("HEAD~%d; the envelope has not changed since the program knows Redis", n), nil
		}
	}
	return "", "", fmt.Errorf("none of the last %d commits has a program that knows Redis: name one with --previous", back)
}

func knowsRedis(ctx context.Context, source, commit string) bool {
	text, err := git(ctx, source, "show", commit+":cmd/peal/settings.go")
	return err == nil && strings.Contains(text, redisSetting)
}

// Describe names a commit for people.
func Describe(ctx context.Context, source, commit string) string {
	text, err := git(ctx, source, "log", "-1", "--format=%h %s", commit)
	if err != nil {
		return commit
	}
	return text
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, complaints.String())
	}
	return strings.TrimSpace(string(out)), nil
}
