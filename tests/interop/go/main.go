// Adds a job, reads the result and the fire: Go with franz-go.
// Run it with: go run . localhost:9092 belfry billing invoice
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

type message map[string]any

// The first record that is wanted, from the beginning of the topic.
func read(ctx context.Context, bootstrap, topic string, wanted func(message) bool) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted())) // the default shows aborted records
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for ctx.Err() == nil {
		for _, record := range client.PollFetches(ctx).Records() {
			var value message
			if json.Unmarshal(record.Value, &value) == nil && wanted(value) {
				fmt.Println(string(record.Value))
				return
			}
		}
	}
	log.Fatalf("nothing on %s within 30 s", topic)
}

func main() {
	bootstrap, cluster, group, id := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	commandID := fmt.Sprintf("go-%d", time.Now().UnixNano())
	command, _ := json.Marshal(message{"op": "add", "command_id": commandID, "job": message{
		"group": group, "id": id, "payload": message{"from": "go"},
		"schedule": message{"at": time.Now().UTC().Format(time.RFC3339)}}})

	// The default partitioner takes a group to its shard.
	producer, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close()
	record := &kgo.Record{Topic: cluster + ".control", Key: []byte(group), Value: command}
	if err := producer.ProduceSync(ctx, record).FirstErr(); err != nil {
		log.Fatal(err)
	}
	read(ctx, bootstrap, cluster+".results", func(m message) bool { return m["command_id"] == commandID })
	read(ctx, bootstrap, cluster+".fires", func(m message) bool { return m["subject"] == group+"/"+id })
}
