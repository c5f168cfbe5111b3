"""What points become: the items of the mall, and the orders by which members take them."""
