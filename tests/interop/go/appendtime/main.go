// What franz-go knows of when a record was appended: go run ./appendtime localhost:9092 belfry.runs
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Args[1]))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	sent := time.UnixMilli(1)
	record := &kgo.Record{Topic: os.Args[2], Value: []byte("go"), Timestamp: sent}
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(record.Offset, record.Timestamp.UnixMilli(), record.Attrs.TimestampType())
}
