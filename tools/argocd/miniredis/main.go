// A Redis in memory for Argo CD's cache in `make e2e-argocd`: miniredis with its clock running, since it lets keys
// expire only when it is told that time has passed. It stores nothing and ends when it is killed.
package main

import (
	"log"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: miniredis HOST:PORT")
	}
	redis := miniredis.NewMiniRedis()
	if err := redis.StartAddr(os.Args[1]); err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", redis.Addr())
	const step = 100 * time.Millisecond
	for range time.Tick(step) {
		redis.FastForward(step)
	}
}
