"""Driver of a TurtleBot 4 through Nav2. Only `ros` imports ROS 2, when the driver is chosen."""
