// Answers lines {"id","cron","zone","from","count"} with robfig/cron's next times. It never comes back
// from some of them: after a while it says so and ends, and is to be started again for the rest.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"time"

	"github.com/robfig/cron/v3"
)

type question struct {
	ID    int    `json:"id"`
	Cron  string `json:"cron"`
	Zone  string `json:"zone"`
	From  int64  `json:"from"`
	Count int    `json:"count"`
}

type answer struct {
	ID    int     `json:"id"`
	Next  []int64 `json:"next"`
	Error string  `json:"error,omitempty"`
}

func main() {
	parser := cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom |
		cron.Month | cron.Dow)
	lines := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		said := answer{ID: asked.ID, Next: []int64{}}
		watchdog := time.AfterFunc(300*time.Millisecond, func() {
			encoder.Encode(answer{ID: asked.ID, Next: []int64{}, Error: "hangs"})
			out.Flush()
			os.Exit(3)
		})
		zone, err := time.LoadLocation(asked.Zone)
		if err == nil {
			var schedule cron.Schedule
			schedule, err = parser.Parse(asked.Cron)
			at := time.Unix(asked.From, 0).In(zone)
			for err == nil && len(said.Next) < asked.Count {
				at = schedule.Next(at)
				if at.IsZero() {
					break
				}
				said.Next = append(said.Next, at.Unix())
			}
		}
		if err != nil {
			said.Error = err.Error()
		}
		watchdog.Stop()
		if err := encoder.Encode(said); err != nil {
			panic(err)
		}
	}
}
