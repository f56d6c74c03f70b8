"""Makes the table and one user with that address; prints an access token of theirs."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import jwt
from app import ALGORITHM, SECRET_KEY, Base, User, engine, new_session


async def seed(email: str) -> str:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with new_session() as session:
        user = User(email=email, name="Ada", email_verified=True)
        session.add(user)
        await session.commit()
    await engine.dispose()
    ends = datetime.now(UTC) + timedelta(hours=24)
    return jwt.encode({"sub": str(user.id), "exp": ends}, SECRET_KEY, algorithm=ALGORITHM)


print(asyncio.run(seed(sys.argv[1])))
