package sqlite

import "context"

// Changed returns a number that moves with every commit that somebody else
// makes: another process, or the DB's own writer. Between two calls that return
// the same, nothing that is read has changed. It costs a fraction of what any
// query does.
func (d *DB) Changed(ctx context.Context) (int64, error) {
	d.watching.Lock()
	defer d.watching.Unlock()
	if d.watch == nil {
		// The number is one connection's own view, so it is always asked on the same one.
		pool, err := d.reader()
		if err != nil {
			return 0, explain("read", d.path, err)
		}
		if d.watch, err = pool.Conn(context.WithoutCancel(ctx)); err != nil {
			return 0, explain("read", d.path, err)
		}
	}
	var n int64
	err := d.watch.QueryRowContext(ctx, "PRAGMA data_version").Scan(&n)
	return n, explain("read", d.path, err)
}

// endWatch gives the connection of Changed back.
func (d *DB) endWatch() error {
	d.watching.Lock()
	defer d.watching.Unlock()
	if d.watch == nil {
		return nil
	}
	err := d.watch.Close()
	d.watch = nil
	return err
}
