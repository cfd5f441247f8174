package redisbus

import (
	"testing"

	"github.com/pealhq/peal/internal/testenv"
)

func TestMain(m *testing.M) { testenv.MainNoLeaks(m) }
