// Times robfig/cron and go-quartz over the expressions of a file, as bench_next.c does.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/reugn/go-quartz/quartz"
	"github.com/robfig/cron/v3"
)

const steps, rounds = 1000, 3

func best(next func(at int64) (int64, bool)) float64 {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	least := 1e18
	for round := 0; round < rounds; round++ {
		at := start
		from := time.Now()
		done := 0
		for ; done < steps && time.Since(from) < 300*time.Millisecond; done++ {
			var more bool
			if at, more = next(at); !more {
				at = start
			}
		}
		if took := float64(time.Since(from).Nanoseconds()) / float64(done); took < least {
			least = took
		}
	}
	return least
}

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	parser := cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom |
		cron.Month | cron.Dow)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		columns := strings.Split(lines.Text(), "\t")
		if strings.HasPrefix(columns[0], "#") || len(columns) < 2 {
			continue
		}
		for _, name := range os.Args[2:] {
			zone, err := time.LoadLocation(name)
			if err != nil {
				panic(err)
			}
			if schedule, err := parser.Parse(columns[1]); err == nil {
				took := best(func(at int64) (int64, bool) {
					next := schedule.Next(time.Unix(0, at).In(zone))
					return next.UnixNano(), !next.IsZero()
				})
				fmt.Printf("robfig/cron\t%s\t%s\t%s\t%.2f\n", name, columns[0], columns[1], took)
			}
			if len(columns) < 3 {
				continue
			}
			if trigger, err := quartz.NewCronTriggerWithLoc(columns[2], zone); err == nil {
				took := best(func(at int64) (int64, bool) {
					next, err := trigger.NextFireTime(at)
					return next, err == nil
				})
				fmt.Printf("go-quartz\t%s\t%s\t%s\t%.2f\n", name, columns[0], columns[1], took)
			}
		}
	}
}
